{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- By the day of the order.
with
connections as (
    select * from {{ ref('fct_connections') }} where {{ in_touched_days('business_day') }}
)

{{ by_grain('connections', connection_measures(), ['branch']) }}
