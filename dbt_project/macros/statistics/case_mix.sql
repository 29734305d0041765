{#-
Observed against expected by indirect standardisation: what each unit would have had if each of its contacts had gone
as such contacts usually go. Rows of keys and unit: n, x, x2, expected, variance (of x under the expectation),
share_at_full_detail.
cells: a relation with `keys`, `unit`, `dims`, n (contacts), x (sum of the outcome), x2 (sum of its squares; for a
yes/no outcome that is x). dims: what the unit does not control, the most important first. A cell with fewer than
`least` contacts falls back to its parent, which is the cell without the last of the dims.
Cells are added up once for all units and then looked up, which for many units costs a tenth of windows over every
unit's cells. Decimals, so that the order of adding does not show.
-#}
{% macro expected_by_case_mix(cells, keys, unit, dims, least=50) -%}
{%- set levels = range(dims | length, -1, -1) -%}
{%- set by = keys | join(', ') -%}
select
        {% for key in keys %}own.{{ key }},
        {% endfor -%}
        own.{{ unit }},
        sum(own.n) as n,
        sum(own.x) as x,
        sum(own.x2) as x2,
        sum(own.n * priced.cell_mean) as expected,
        sum(own.n * priced.cell_variance) as variance,
        sum(case when priced.is_full_detail then own.n else 0 end) / nullif(sum(own.n), 0) as share_at_full_detail
    from (
        select
            {{ by }},
            {{ unit }},
            {{ cell_of(keys + dims) }} as cell,
            cast(n as numeric(28, 6)) as n,
            cast(x as numeric(28, 6)) as x,
            cast(x2 as numeric(28, 6)) as x2
        from {{ cells }}
        where n > 0
    ) as own
    inner join (
        select
            cell,
            n_{{ dims | length }} >= {{ least }} as is_full_detail,
            case
                {% for level in levels -%}
                {{ 'when n_' ~ level ~ ' >= ' ~ least ~ ' then' if level > 0 else 'else' }} x_{{ level }} / nullif(n_{{ level }}, 0)
                {% endfor -%}
            end as cell_mean,
            case
                {% for level in levels -%}
                {{ 'when n_' ~ level ~ ' >= ' ~ least ~ ' then' if level > 0 else 'else' }}
                    greatest(x2_{{ level }} - x_{{ level }} * x_{{ level }} / nullif(n_{{ level }}, 0), 0)
                    / nullif(n_{{ level }} - 1, 0)
                {% endfor -%}
            end as cell_variance
        from (
            select
                cell
                {%- for level in levels %},
                sum(n) over cell_{{ level }} as n_{{ level }},
                sum(x) over cell_{{ level }} as x_{{ level }},
                sum(x2) over cell_{{ level }} as x2_{{ level }}
                {%- endfor %}
            from (
                select
                    {{ by }},
                    {{ dims | join(', ') }},
                    {{ cell_of(keys + dims) }} as cell,
                    sum(cast(n as numeric(28, 6))) as n,
                    sum(cast(x as numeric(28, 6))) as x,
                    sum(cast(x2 as numeric(28, 6))) as x2
                from {{ cells }}
                where n > 0
                group by {{ by }}, {{ dims | join(', ') }}
            ) as added
            window
                {% for level in levels -%}
                cell_{{ level }} as (partition by {{ (keys + dims[:level]) | join(', ') }}){{ ',' if not loop.last }}
                {% endfor -%}
        ) as summed
    ) as priced on own.cell = priced.cell
    group by {% for key in keys %}own.{{ key }}, {% endfor %}own.{{ unit }}
{%- endmacro %}

{#- One text for a combination of columns, for a join by one condition; null is a value of its own. -#}
{% macro cell_of(dims) -%}
{%- for dim in dims -%}
coalesce(cast({{ dim }} as {{ dbt.type_string() }}), '~'){{ " || '|' || " if not loop.last }}
{%- endfor -%}
{%- endmacro %}
