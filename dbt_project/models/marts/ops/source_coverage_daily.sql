{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
coverage as (
    select * from {{ ref('int_source_coverage') }} where {{ in_touched_days('business_day') }}
)

select
    branch_id,
    source,
    coverage,
    business_day
from coverage
where branch_id <> '*' and source <> 'due'
