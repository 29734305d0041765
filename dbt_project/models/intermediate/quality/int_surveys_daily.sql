{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- Attempts that reached nobody are no interviews: they are counted with the call-backs they belong to.
with
responses as (
    select * from {{ ref('fct_survey_responses') }}
    where {{ in_touched_days('business_day') }} and {{ is_interview('attempt_outcome') }}
)

{{ by_grain('responses', survey_measures()) }}
