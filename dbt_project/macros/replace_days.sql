{#-
The incremental strategy of all daily models: every touched day is cleared, then the built rows are inserted, so
that a day which became empty at the source does not stand. A model with `meta.reach` clears the days it builds.
`get_incremental_<name>_sql` is the door dbt calls.
-#}
{% macro get_incremental_replace_days_sql(arg_dict) %}
    {{ return(adapter.dispatch('replace_days_sql')(arg_dict)) }}
{% endmacro %}

{% macro default__replace_days_sql(arg_dict) %}
    {%- set reach = (model.config.meta or {}).get('reach') -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }}
    where {{ in_touched_days('business_day') if not reach else in_reach(reach.before, reach.after) }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}
