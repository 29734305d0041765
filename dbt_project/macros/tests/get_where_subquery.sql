{#-
What a generic test reads of its model; dbt asks this macro. Of a daily model it is the days that this build wrote:
the others are as they were when they were tested, and reading all of them would cost more each year. That a key
stands on one day only is held by the unique index of the mart at publication.
-#}
{% macro default__get_where_subquery(relation) -%}
{%- set conditions = [] -%}
{%- if config.get('where') -%}
{%- do conditions.append('(' ~ config.get('where') ~ ')') -%}
{%- endif -%}
{%- set tested = graph.nodes.get(model.attached_node) if execute and model.attached_node is defined else none -%}
{%- if tested and tested.config.incremental_strategy == 'replace_days' and tested.alias == relation.identifier
    and not is_full_rebuild() -%}
{%- set reach = (tested.config.meta or {}).get('reach') or {} -%}
{%- do conditions.append('(' ~ written_days(reach) ~ ' or ' ~ day_column(reach) ~ ' is null)') -%}
{%- endif -%}
{{ return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ') as tested_rows' if conditions
    else relation) }}
{%- endmacro %}
