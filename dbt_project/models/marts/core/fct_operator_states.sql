{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as operator_state_id,
    cast(null as text) as operator_id,
    cast(null as text) as branch_id,
    cast(null as text) as state,
    cast(null as text) as reason,
    cast(null as timestamptz) as started_at,
    cast(null as timestamptz) as ended_at,
    cast(null as bigint) as seconds,
    cast(null as boolean) as is_open,
    cast(null as date) as business_day
where false
