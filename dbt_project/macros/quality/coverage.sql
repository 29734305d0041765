{#- What can be measured or not, each with a column <domain>_coverage in the spines. -#}
{% macro coverage_domains() -%}
contacts visits turned_away ratings surveys evaluations tickets ticket_events repeats connections
{%- endmacro %}

{#- The spine's coverage columns: of the row's branch, else of the provider as a whole. -#}
{% macro coverage_of(branch, provider) -%}
{% for domain in coverage_domains().split() -%}
coalesce({{ branch }}.{{ domain }}_coverage, {{ provider }}.{{ domain }}_coverage, 'not_loaded')
    as {{ domain }}_coverage{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Coverage of several branches as one: whole or absent only where all of them are. -#}
{% macro coverage_of_all() -%}
{% for domain in coverage_domains().split() -%}
{%- set column = domain ~ '_coverage' -%}
case
    when bool_and({{ column }} = 'loaded') then 'loaded'
    when bool_and({{ column }} = 'not_configured') then 'not_configured'
    when bool_and({{ column }} in ('not_loaded', 'not_configured')) then 'not_loaded'
    else 'partial'
end as {{ column }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Condition: the row of a dimension with validity holds on `day`. -#}
{% macro is_valid_on(dimension, day) -%}
(({{ dimension }}.valid_from is null or {{ day }} >= {{ dimension }}.valid_from)
    and ({{ dimension }}.valid_to is null or {{ day }} < {{ dimension }}.valid_to))
{%- endmacro %}

{#-
Place of a dimension's row for one key and day: the description that began last holds until the next begins, the
first one also before its beginning. So numbers that fall outside every validity are judged by the nearest one.
-#}
{% macro place_on_day(key, dimension, dimension_key) -%}
{%- set began = dimension ~ '.valid_from is null or ' ~ dimension ~ '.valid_from <= wanted.business_day' -%}
row_number() over (
    partition by {{ key }}, wanted.business_day
    order by
        case when {{ began }} then 0 else 1 end,
        case when {{ began }} then {{ dimension }}.valid_from end desc nulls last,
        {{ dimension }}.valid_from asc nulls first,
        {{ dimension }}.{{ dimension_key }}
)
{%- endmacro %}

{#- One row of flags: does the relation list the table? False for all when it lists none. -#}
{% macro has_tables(names) -%}
{% for name in names -%}
coalesce(bool_or(table_name = '{{ name }}'), false) as has_{{ name }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Coverage of a source where the provider has the table, else 'not_configured'. -#}
{% macro covered_if(has_table, source) -%}
case when known.{{ has_table }} then sources.{{ source }} else 'not_configured' end
{%- endmacro %}

{#- Grain, id and day of the rows of the domains' daily aggregates, each once. -#}
{% macro measured_days(domains) -%}
{% for domain in domains -%}
select grain, grain_id, business_day from {{ ref('int_' ~ domain ~ '_daily') }}
{{ 'union' if not loop.last }}
{% endfor %}
{%- endmacro %}
