{#- <name>_sum, _count, _mean, _p50 and _p90 of the seconds in `expression` in one group; percentiles are exact. -#}
{% macro distribution(name, expression, condition) -%}
{%- set total = sum_of(expression, condition) -%}
{%- set number = 'count(' ~ expression ~ ') filter (where ' ~ condition ~ ')' -%}
{{ total }} as {{ name }}_sum,
{{ number }} as {{ name }}_count,
{{ ratio(total, number) }} as {{ name }}_mean,
percentile_cont(0.5) within group (order by {{ expression }}) filter (where {{ condition }}) as {{ name }}_p50,
percentile_cont(0.9) within group (order by {{ expression }}) filter (where {{ condition }}) as {{ name }}_p90
{%- endmacro %}
