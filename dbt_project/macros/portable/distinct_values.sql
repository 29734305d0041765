{#-
Query for the different values of `column` in `relation`, none of them null. Few values in a table that grows with
history: Postgres, which reads all of it for `distinct`, looks each next one up in the column's index.
-#}
{% macro distinct_values(relation, column) -%}
{{ return(adapter.dispatch('distinct_values')(relation, column)) }}
{%- endmacro %}
{% macro default__distinct_values(relation, column) -%}
select distinct {{ column }} from {{ relation }}
where {{ column }} is not null
{%- endmacro %}
{% macro postgres__distinct_values(relation, column) -%}
with recursive found as (
    select min({{ column }}) as {{ column }} from {{ relation }}
    union all
    select (
        select min(later.{{ column }}) from {{ relation }} as later
        where later.{{ column }} > found.{{ column }}
    )
    from found
    where found.{{ column }} is not null
)

select {{ column }} from found
where {{ column }} is not null
{%- endmacro %}
