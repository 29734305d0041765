{{ config(materialized='table') }}
with
days as (
    {{ day_series(
        "cast('" ~ var('first_date') ~ "' as date)",
        "greatest(cast('" ~ var('last_date') ~ "' as date), " ~ add_days('cast(' ~ data_until() ~ ' as date)', 366) ~ ")"
    ) }}
)

select
    date_day,
    cast({{ iso_weekday('date_day') }} as bigint) as iso_weekday,
    {{ iso_week('date_day') }} as iso_week,
    cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start,
    {{ iso_weekday('date_day') }} >= 6 as is_weekend
from days
