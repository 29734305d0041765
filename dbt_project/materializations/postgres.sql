{#-
Views, tables and daily models in Postgres. dbt's own materializations do the same in up to four times as many statements,
and compare columns that cannot differ here: a changed model is built wholly. Here the new table takes the old one's place
in the transaction that makes it, which a failure undoes whole, so that nothing stands by from an earlier build.
-#}
{% materialization view, adapter='postgres' %}
    {%- set target = this.incorporate(type='view') -%}
    {%- set present = load_cached_relation(this) -%}
    {%- set goes = present is not none and (not present.is_view or should_full_refresh()) -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') %}
        {% if goes %}drop {{ present.type }} if exists {{ present }} cascade;{% endif %}
        create or replace view {{ target }} as ({{ sql }})
    {% endcall %}
    {% if goes %}{% do adapter.cache_dropped(present) %}{% endif %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization table, adapter='postgres' %}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {% do make_anew(load_cached_relation(this), target, sql) %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{% materialization incremental, adapter='postgres' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set present = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {% if present is none or present.is_view or should_full_refresh() %}
        {% do make_anew(present, target, sql) %}
    {% else %}
        {% set built = make_temp_relation(target) %}
        {% do run_query(get_create_table_as_sql(True, built, sql)) %}
        {% call statement('main') %}
            {{ get_incremental_replace_days_sql({
                'target_relation': target, 'temp_relation': built, 'dest_columns': common_columns(target, built)
            }) }}
        {% endcall %}
    {% endif %}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Make `target` and its indexes beside `present`, the relation of this name if there is one, and put it in its place. -#}
{% macro make_anew(present, target, sql) %}
    {%- set made = make_intermediate_relation(target) -%}
    {% call statement('main') %}{{ get_create_table_as_sql(False, made, sql) }}{% endcall %}
    {% do create_indexes(made) %}
    {% call statement('put_in_place') %}
        {% if present is not none %}drop {{ present.type }} if exists {{ present }} cascade;{% endif %}
        {% if config.get('incremental_strategy') == 'replace_days' and not of_build('without_rows', false) -%}
            {#- A table made by one statement has room for a small row at the end of most pages. Nights would put theirs
                there, each on another page of all history, where a day's rows are read one page each. -#}
            alter table {{ made }} set (fillfactor = 85);
        {%- endif %}
        alter table {{ made }} rename to {{ adapter.quote(target.identifier) }}
    {% endcall %}
    {% if present is not none %}{% do adapter.cache_dropped(present) %}{% endif %}
{% endmacro %}

{#- The columns of `target`; an error when what was `built` for it has others. -#}
{% macro common_columns(target, built) %}
    {%- set rows = run_query(
        "select attname, format_type(atttypid, atttypmod), attrelid = '" ~ target ~ "'::regclass from pg_attribute"
        ~ " where attrelid in ('" ~ target ~ "'::regclass, '" ~ built ~ "'::regclass) and attnum > 0"
        ~ " and not attisdropped order by attrelid, attnum"
    ).rows -%}
    {%- set columns, ours, theirs = [], [], [] -%}
    {%- for name, type, is_ours in rows -%}
        {%- do (ours if is_ours else theirs).append(name) -%}
        {%- if is_ours -%}{%- do columns.append(api.Column(name, type)) -%}{%- endif -%}
    {%- endfor -%}
    {%- if ours | sort != theirs | sort -%}
        {% do exceptions.raise_compiler_error(
            target ~ ' has the columns ' ~ ours | join(', ') ~ ', its model gives ' ~ theirs | join(', ')
            ~ ': build all days (--full-refresh)'
        ) %}
    {%- endif -%}
    {{ return(columns) }}
{% endmacro %}
