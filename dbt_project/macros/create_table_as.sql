{#-
How tables are made in Postgres.
- Rows of daily models lie in the order of their days, as nights append them. A table that is built at once would lie in
  the order in which its rows were grouped: a day's rows on as many pages as there are rows, all of which a night reads.
- Tables that another engine fills (rebuild.py) are made with their columns, contracts and indexes, and without rows:
  `limit 0` computes nothing.
-#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
{%- set how = namespace(end='') -%}
{%- if of_build('without_rows', false) -%}
{%- set how.end = 'limit 0' -%}
{%- elif config.get('incremental_strategy') == 'replace_days' -%}
{%- set how.end = 'order by business_day' -%}
{%- endif -%}
{%- set made = "select * from (\n" ~ sql ~ "\n) as model " ~ how.end if how.end else sql -%}
{{ return(dbt.postgres__create_table_as(temporary, relation, made)) }}
{%- endmacro %}
