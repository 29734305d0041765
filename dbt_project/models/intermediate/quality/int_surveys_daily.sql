{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
with
responses as (
    select * from {{ ref('fct_survey_responses') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('responses', survey_measures()) }}
