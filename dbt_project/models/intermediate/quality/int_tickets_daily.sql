{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    pre_hook="{{ days_by_bitmaps(or_whole=true) }}"
) }}
-- By the day of opening.
with
tickets as (
    select * from {{ ref('fct_tickets') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('tickets', ticket_measures()) }}
