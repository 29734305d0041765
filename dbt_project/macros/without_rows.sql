{#-
Tables that another engine fills (rebuild.py) are made with their columns, contracts and indexes, and without rows:
`limit 0` computes nothing.
-#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
{%- set no_rows = "select * from (\n" ~ sql ~ "\n) as model limit 0" -%}
{{ return(dbt.postgres__create_table_as(temporary, relation, no_rows if of_build('without_rows', false) else sql)) }}
{%- endmacro %}
