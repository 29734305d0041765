{#- <name>_sum, _count, _mean, _p50 and _p90 of the seconds in `expression` in one group; percentiles are exact. -#}
{% macro distribution(name, expression, condition) -%}
{%- set total = sum_of(expression, condition) -%}
{%- set number = 'count(' ~ expression ~ ') filter (where ' ~ condition ~ ')' -%}
{{ total }} as {{ name }}_sum,
{{ number }} as {{ name }}_count,
{{ ratio(total, number) }} as {{ name }}_mean,
{{ percentile(0.5, expression, condition) }} as {{ name }}_p50,
{{ percentile(0.9, expression, condition) }} as {{ name }}_p90
{%- endmacro %}

{#- Between two values engines interpolate by formulas that differ in the last bit: rounded they agree. -#}
{% macro percentile(fraction, expression, condition) -%}
{{ rounded('percentile_cont(' ~ fraction ~ ') within group (order by ' ~ expression ~ ') filter (where ' ~ condition ~ ')') }}
{%- endmacro %}
