{#- What dbt calls a float is of 8 bytes; DuckDB's FLOAT has 4. -#}
{% macro duckdb__type_float() -%}double{%- endmacro %}
