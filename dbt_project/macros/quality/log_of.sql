{#-
Natural logarithm of a duration, at least 1 of its unit, rounded per row so that sums of it are exact: durations are
compared by factors, so that one call of an hour does not outweigh sixty of a minute.
-#}
{% macro log_of(duration) -%}
round(cast(ln(cast(greatest({{ duration }}, 1) as {{ dbt.type_float() }})) as numeric(28, 12)), 6)
{%- endmacro %}

{#- 1 for true, 0 for false, as an outcome that is added up. -#}
{% macro outcome_of(condition) -%}
case when {{ condition }} then cast(1 as numeric(28, 6)) else cast(0 as numeric(28, 6)) end
{%- endmacro %}
