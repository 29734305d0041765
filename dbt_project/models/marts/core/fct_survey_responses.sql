{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as survey_response_id,
    cast(null as text) as survey_id,
    cast(null as text) as survey_kind,
    cast(null as boolean) as is_complete,
    cast(null as timestamptz) as submitted_at,
    cast(null as timestamptz) as started_at,
    cast(null as text) as subscriber_id,
    cast(null as text) as ticket_id,
    cast(null as text) as connection_id,
    cast(null as text) as contact_id,
    cast(null as text) as operator_id,
    cast(null as text) as branch_id,
    cast(null as text) as topic_id,
    cast(null as text) as topic_class,
    cast(null as boolean) as is_solved,
    cast(null as boolean) as is_first_contact_solved,
    cast(null as bigint) as satisfaction,
    cast(null as bigint) as recommend,
    cast(null as bigint) as effort,
    cast(null as text) as nps_group,
    cast(null as text) as comment,
    cast(null as date) as business_day
where false
