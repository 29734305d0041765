{#- Renew the planner's statistics of a table that was just written. -#}
{% macro analyze_table(relation) -%}{{ return(adapter.dispatch('analyze_table')(relation)) }}{%- endmacro %}
{% macro default__analyze_table(relation) -%}analyze {{ relation }}{%- endmacro %}
{% macro spark__analyze_table(relation) -%}analyze table {{ relation }} compute statistics for all columns{%- endmacro %}
{% macro duckdb__analyze_table(relation) -%}{%- endmacro %}
