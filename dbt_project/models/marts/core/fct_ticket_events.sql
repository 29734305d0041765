{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as ticket_event_id,
    cast(null as text) as ticket_id,
    cast(null as text) as event,
    cast(null as text) as operator_id,
    cast(null as text) as branch_id,
    cast(null as text) as topic_id,
    cast(null as timestamptz) as event_at,
    cast(null as date) as business_day
where false
