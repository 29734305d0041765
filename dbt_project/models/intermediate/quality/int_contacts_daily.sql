{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    pre_hook="{{ days_by_bitmaps(or_whole=true) }}"
) }}
-- A contact can be answered by several operators: theirs are counted from the visits they answered.
with
contacts as (
    select * from {{ ref('fct_contacts') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('contacts', contact_measures(), ['branch', 'topic']) }}
