{#- An order or a fault is watched for so many days; what is not done by then counts as not done. -#}
{% macro followed_days() -%}92{%- endmacro %}

{#-
`columns` of `rows`, counted for its own branch and technology, for all of either, and for all of both: branch_id and
technology are the row's or 'all'.
-#}
{% macro with_all_cells(rows, columns) -%}
select
        case when ways.all_branches then 'all' else {{ rows }}.branch_id end as branch_id,
        case when ways.all_technologies then 'all' else {{ rows }}.technology end as technology,
        {% for column in columns -%}
            {{ rows }}.{{ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ rows }}
    cross join (
        select false as all_branches, false as all_technologies
        union all select true as all_branches, false as all_technologies
        union all select false as all_branches, true as all_technologies
        union all select true as all_branches, true as all_technologies
    ) as ways
{%- endmacro %}

{#- What the months of all clocks count, and its types. -#}
{% macro clock_counts() -%}
{% set counts = {} %}
{%- for name in ['population', 'excluded', 'not_judged', 'finished', 'open_at_month_end', 'open_now'] -%}
{%- do counts.update({name: 'bigint'}) -%}
{%- endfor -%}
{%- do counts.update({'seconds_sum': dbt.type_float(), 'seconds_count': 'bigint'}) -%}
{%- for percent in [50, 80, 95, 99] -%}
{%- do counts.update({'fastest_' ~ percent: dbt.type_float()}) -%}
{%- endfor -%}
{%- do counts.update({'numerator': 'bigint', 'denominator': 'bigint'}) -%}
{{ return(counts) }}
{%- endmacro %}

{#- The columns clock_counts() from expressions by name; what is not named, the clock does not have: null. -#}
{% macro clock_columns() -%}
{%- for name, type in clock_counts().items() -%}
cast({{ kwargs.get(name, 'null') }} as {{ type }}) as {{ name }}{{ ',\n        ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}
