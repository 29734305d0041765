{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'of': 'touched_days'}}, pre_hook="{{ days_by_bitmaps(or_whole=true) }}"
) }}
-- By the day of the first of the two contacts and the operator who handled it first.
with
contacts as (
    select * from {{ ref('fct_repeat_contacts') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('contacts', repeat_measures()) }}
