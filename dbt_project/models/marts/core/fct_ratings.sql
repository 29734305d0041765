{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as rating_id,
    cast(null as text) as contact_id,
    cast(null as text) as match_kind,
    cast(null as text) as server_id,
    cast(null as text) as callid,
    cast(null as text) as operator_id,
    cast(null as text) as branch_id,
    cast(null as text) as topic_id,
    cast(null as text) as topic_class,
    cast(null as text) as queue,
    cast(null as text) as criterion,
    cast(null as timestamptz) as rated_at,
    cast(null as text) as digit,
    cast(null as bigint) as rating,
    cast(null as text) as answer_kind,
    cast(null as date) as business_day
where false
