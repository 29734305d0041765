{{ config(materialized='table') }}
-- placeholder
select
    cast(null as date) as date_day,
    cast(null as bigint) as iso_weekday,
    cast(null as text) as iso_week,
    cast(null as date) as month_start,
    cast(null as boolean) as is_weekend
where false
