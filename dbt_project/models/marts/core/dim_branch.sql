{{ config(materialized='table') }}
-- placeholder
select
    cast(null as text) as branch_key,
    cast(null as text) as branch_id,
    cast(null as text) as branch_name,
    cast(null as text) as region,
    cast(null as text) as time_zone,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to,
    cast(null as boolean) as is_current
where false
