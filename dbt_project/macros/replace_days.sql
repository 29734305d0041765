{#-
The incremental strategy of all daily models: every touched day is cleared, then the built rows are inserted, so
that a day which became empty at the source does not stand. A model with `meta.reach` clears the days it builds.
`get_incremental_<name>_sql` is the door dbt calls.
-#}
{% macro get_incremental_replace_days_sql(arg_dict) %}
    {{ return(adapter.dispatch('replace_days_sql')(arg_dict)) }}
{% endmacro %}

{#- Condition: the row is of a day that the model builds. -#}
{% macro replaced_days() -%}
{{ written_days((model.config.meta or {}).get('reach') or {}) }}
{%- endmacro %}

{% macro default__replace_days_sql(arg_dict) %}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }}
    where {{ replaced_days() }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}

{#-
The same result, written where it differs only: most rows of a day that is built again come out as they were, and each
that is written anew costs its WAL, its index entries and its vacuum. Rows that stand twice, which a key test refused,
are all cleared. Fingerprints let the rows meet by a hash; equal is what all columns say. Rows that were written again lie
apart from their day's: a bitmap reads each block once, an index row by row.
-#}
{% macro postgres__replace_days_sql(arg_dict) %}
    {%- set days = replaced_days() -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set of_old, of_new = 'old.' ~ columns | join(', old.'), 'new.' ~ columns | join(', new.') -%}
    set local enable_indexscan = off;

    delete from {{ arg_dict['target_relation'] }} as old
    where {{ days }} and hash_record_extended(row({{ of_old }}), 0) in (
        select hash_record_extended(row({{ of_old }}), 0)
        from {{ arg_dict['target_relation'] }} as old
        where {{ days }}
        group by 1
        having count(*) > 1
    );

    delete from {{ arg_dict['target_relation'] }} as old
    where {{ days }} and not exists (
        select 1 from {{ arg_dict['temp_relation'] }} as new
        where
            hash_record_extended(row({{ of_new }}), 0) = hash_record_extended(row({{ of_old }}), 0)
            and ({{ of_new }}) is not distinct from ({{ of_old }})
    );

    insert into {{ arg_dict['target_relation'] }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from {{ arg_dict['temp_relation'] }}
    except all
    select {{ columns | join(', ') }} from {{ arg_dict['target_relation'] }}
    where {{ days }}
{% endmacro %}
