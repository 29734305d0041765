{#-
How tables are made in Postgres.
- By one statement, also under a contract: rows that are inserted into a table made before look for their page one by one.
- Rows of daily models lie in the order of their days, as nights append them. A table that is built at once would lie in
  the order in which its rows were grouped: a day's rows on as many pages as there are rows, all of which a night reads.
- Tables that another engine fills (rebuild.py) are made with their columns, contracts and indexes, and without rows:
  `limit 0` computes nothing.
-#}
{% macro postgres__create_table_as(temporary, relation, sql) -%}
{%- set columns = namespace(text='*') -%}
{%- if config.get('contract').enforced -%}
{{ get_assert_columns_equivalent(sql) }}
{%- if not temporary -%}
{%- set columns.text = contract_columns() -%}
{%- endif -%}
{%- endif -%}
create {{ 'temporary' if temporary else 'unlogged' if config.get('unlogged', false) }} table {{ relation }}
{{- ' on commit drop' if temporary }} as
select {{ columns.text }}
from (
{{ sql }}
) as model
{% if of_build('without_rows', false) -%}
limit 0
{%- elif config.get('incremental_strategy') == 'replace_days' -%}
order by {{ day_column((model.config.meta or {}).get('reach') or {}) }}
{%- endif -%}
{%- endmacro %}

{#- The columns of a contract, in its order and types. -#}
{% macro contract_columns() -%}
{%- for name, column in model['columns'].items() -%}
cast({{ adapter.quote(name) }} as {{ column['data_type'] }}) as {{ adapter.quote(name) }}{{ ', ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}
