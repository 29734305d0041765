{#-
Condition: the version `alias` holds on `day`. Versions are looked up without gaps: the first also holds before its
own beginning, each until the next begins, so that a late or early event is judged by the nearest description.
-#}
{% macro holds_on(alias, day) -%}{{ return(adapter.dispatch('holds_on')(alias, day)) }}{%- endmacro %}

{% macro default__holds_on(alias, day) -%}
({{ alias }}.holds_from is null or {{ alias }}.holds_from <= {{ day }})
    and ({{ alias }}.holds_to is null or {{ day }} < {{ alias }}.holds_to)
{%- endmacro %}

{#- The same as comparisons of one side with the other: DuckDB loops over all pairs of an outer join with any other. -#}
{% macro duckdb__holds_on(alias, day) -%}
coalesce({{ alias }}.holds_from, '-infinity') <= coalesce({{ day }}, '-infinity')
    and coalesce({{ day }}, '9999-12-31') < coalesce({{ alias }}.holds_to, 'infinity')
{%- endmacro %}

{#- holds_from and holds_to of versions of `key`, ordered by `begins`. -#}
{% macro holds_columns(key, begins) -%}
case
        when row_number() over (partition by {{ key }} order by {{ begins }} nulls first) > 1 then {{ begins }}
    end as holds_from,
    lead({{ begins }}) over (partition by {{ key }} order by {{ begins }} nulls first) as holds_to
{%- endmacro %}
