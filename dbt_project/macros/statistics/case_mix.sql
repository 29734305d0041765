{#-
Observed against expected by indirect standardisation: what each unit would have had if each of its contacts had gone
as such contacts usually go. Rows of keys and unit: n, x, x2, expected, variance (of x under the expectation),
share_at_full_detail.
cells: a relation with `keys`, `unit`, `dims`, n (contacts), x (sum of the outcome), x2 (sum of its squares; for a
yes/no outcome that is x). dims: what the unit does not control, the most important first. A cell with fewer than
`least` contacts falls back to its parent, which is the cell without the last of the dims.
Decimals, so that the order of adding does not show.
-#}
{% macro expected_by_case_mix(cells, keys, unit, dims, least=50) -%}
{%- set levels = range(dims | length, -1, -1) -%}
select
        {{ keys | join(', ') }},
        {{ unit }},
        sum(n) as n,
        sum(x) as x,
        sum(x2) as x2,
        sum(n * cell_mean) as expected,
        sum(n * cell_variance) as variance,
        sum(case when is_full_detail then n else 0 end) / nullif(sum(n), 0) as share_at_full_detail
    from (
        select
            {{ keys | join(', ') }},
            {{ unit }},
            n,
            x,
            x2,
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
                {{ keys | join(', ') }},
                {{ unit }},
                cast(n as numeric(28, 6)) as n,
                cast(x as numeric(28, 6)) as x,
                cast(x2 as numeric(28, 6)) as x2
                {%- for level in levels %},
                sum(cast(n as numeric(28, 6))) over cell_{{ level }} as n_{{ level }},
                sum(cast(x as numeric(28, 6))) over cell_{{ level }} as x_{{ level }},
                sum(cast(x2 as numeric(28, 6))) over cell_{{ level }} as x2_{{ level }}
                {%- endfor %}
            from {{ cells }}
            where n > 0
            window
                {% for level in levels -%}
                cell_{{ level }} as (partition by {{ (keys + dims[:level]) | join(', ') }}){{ ',' if not loop.last }}
                {% endfor -%}
        ) as summed
    ) as priced
    group by {{ (keys + [unit]) | join(', ') }}
{%- endmacro %}
