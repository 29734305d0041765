{#- What dbt calls a float is of 8 bytes; DuckDB's FLOAT has 4. -#}
{% macro duckdb__type_float() -%}double{%- endmacro %}

{#-
A number as a decimal of six places, half up. By way of nine: engines that divide in floats hold what lies half way
between two of six a little above or below it, and would round it by that.
-#}
{% macro as_decimal(number) -%}
cast(cast({{ number }} as numeric(28, 9)) as {{ dbt.type_numeric() }})
{%- endmacro %}
