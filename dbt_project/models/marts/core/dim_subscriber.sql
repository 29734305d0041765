{{ config(materialized='table') }}
-- placeholder
select
    cast(null as text) as subscriber_id,
    cast(null as text) as phone_hash,
    cast(null as text) as branch_id,
    cast(null as text) as technology,
    cast(null as text) as tariff,
    cast(null as date) as connected_on,
    cast(null as date) as left_on
where false
