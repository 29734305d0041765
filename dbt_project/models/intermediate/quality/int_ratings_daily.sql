{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
with
ratings as (
    select * from {{ ref('fct_ratings') }}
    where {{ in_touched_days('business_day') }}
),

calls as (
    {{ rated_calls('ratings') }}
)

{{ by_grain('calls', rating_measures()) }}
