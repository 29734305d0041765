{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as ring_no_answer_id,
    cast(null as text) as queue_visit_id,
    cast(null as text) as server_id,
    cast(null as text) as queue,
    cast(null as text) as operator_id,
    cast(null as text) as branch_id,
    cast(null as bigint) as rang_ms,
    cast(null as timestamptz) as rang_at,
    cast(null as date) as business_day
where false
