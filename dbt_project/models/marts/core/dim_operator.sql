{{ config(materialized='table') }}
-- placeholder
select
    cast(null as text) as operator_key,
    cast(null as text) as operator_id,
    cast(null as text) as operator_name,
    cast(null as text) as branch_id,
    cast(null as text) as team,
    cast(null as date) as hired_on,
    cast(null as date) as left_on,
    cast(null as boolean) as is_registered,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to,
    cast(null as boolean) as is_current
where false
