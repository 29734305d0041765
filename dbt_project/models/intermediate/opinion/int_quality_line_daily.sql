{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unlogged=false,
        indexes=[{'columns': ['business_day']}]
    )
}}
with
calls as (
    select * from {{ ref('int_quality_line_calls') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('calls', quality_line_measures()) }}
