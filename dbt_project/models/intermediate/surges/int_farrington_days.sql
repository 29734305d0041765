{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}], meta={'reach': {'before': 0, 'after': 58}}) }}
with
days as (
    select * from {{ ref('int_topic_days') }} where {{ near_touched_days('business_day', 58, 58) }}
)

select
    branch_id,
    topic_id,
    cast(null as {{ dbt.type_float() }}) as farrington_p,
    cast(null as {{ dbt.type_float() }}) as farrington_limit,
    cast(null as boolean) as is_farrington_surge,
    business_day
from days
where {{ in_reach(0, 58) }}
