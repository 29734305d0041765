{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as connection_id,
    cast(null as text) as subscriber_id,
    cast(null as text) as branch_id,
    cast(null as text) as technology,
    cast(null as timestamptz) as ordered_at,
    cast(null as date) as promised_on,
    cast(null as timestamptz) as connected_at,
    cast(null as timestamptz) as cancelled_at,
    cast(null as numeric) as supply_days,
    cast(null as boolean) as is_on_promise,
    cast(null as date) as business_day
where false
