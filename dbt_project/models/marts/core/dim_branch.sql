{{ config(materialized='table') }}
with
branches as (
    select * from {{ ref('int_branches') }}
)

select
    branch_id || '|' || coalesce(valid_from, cast('1900-01-01' as date)) as branch_key,
    branch_id,
    branch_name,
    region,
    time_zone,
    valid_from,
    valid_to,
    {{ is_current('branches') }} as is_current
from branches
