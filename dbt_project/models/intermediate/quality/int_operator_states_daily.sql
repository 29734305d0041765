{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
with
states as (
    select * from {{ ref('fct_operator_states') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('states', state_measures(), ['operator']) }}
