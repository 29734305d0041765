{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
with
evaluations as (
    select * from {{ ref('fct_evaluations') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('evaluations', evaluation_measures()) }}
