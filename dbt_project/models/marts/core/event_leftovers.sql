{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as server_id,
    cast(null as text) as event,
    cast(null as bigint) as events,
    cast(null as bigint) as events_logged,
    cast(null as bigint) as events_in_facts,
    cast(null as date) as business_day
where false
