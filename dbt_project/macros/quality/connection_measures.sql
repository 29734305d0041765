{#- What became of the connections ordered on a day. -#}
{% macro connection_measures() -%}
count(*) as connections_ordered,
{{ count_if('cancelled_at is not null') }} as connections_cancelled,
{{ count_if('connected_at is not null') }} as connections_connected,
{{ exact_sum('supply_days') }} as supply_days_sum,
count(supply_days) as supply_days_count,
{{ ratio(exact_sum('supply_days'), 'count(supply_days)') }} as supply_days_mean,
{{ count_if('is_on_promise is not null') }} as connections_with_promise,
{{ count_if('is_on_promise') }} as connections_on_promise,
{{ ratio(count_if('is_on_promise'), count_if('is_on_promise is not null')) }} as connection_on_promise_share
{%- endmacro %}
