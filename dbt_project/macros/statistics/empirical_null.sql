{#-
CTE `{name}`: `scored` with the column `score` divided by the spread that scores have among most units of the same
`keys`, where that is more than 1, as the column `{name}_z`; and the factor, `{name}_spread`. People differ from each
other by nature; who is far away must be far away from how far people usually are.
The spread is the mean square of the scores drawn in to their 10 % and 90 % points, over 0.67866, which that mean is
for normal scores of variance 1: without the divisor (as in the funnel's over-dispersion) natural differences would be
understated by a third. Source: Spiegelhalter 2005 for drawing in, Efron 2004 for the idea of an empirical null.
-#}
{% macro empirical_null_ctes(scored, name, keys) -%}
{%- set float = dbt.type_float() -%}
{%- set same -%}
{%- for key in keys %}{{ scored }}.{{ key }} = {{ name }}_limits.{{ key }}{{ ' and ' if not loop.last }}{% endfor -%}
{%- endset -%}
{{ name }}_limits as (
    select
        {{ keys | join(', ') }},
        percentile_cont(0.1) within group (order by cast(score as {{ float }})) as low,
        percentile_cont(0.9) within group (order by cast(score as {{ float }})) as high
    from {{ scored }}
    where score is not null
    group by {{ keys | join(', ') }}
),

{{ name }}_drawn_in as (
    select
        {% for key in keys %}{{ scored }}.{{ key }},
        {% endfor -%}
        greatest(avg(power(cast(
            least(greatest(cast({{ scored }}.score as {{ float }}), {{ name }}_limits.low), {{ name }}_limits.high)
            as numeric(28, 9)
        ), 2)) / 0.67866, 1) as spread
    from {{ scored }}
    inner join {{ name }}_limits on {{ same }}
    where {{ scored }}.score is not null
    group by {% for key in keys %}{{ scored }}.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
),

{{ name }} as (
    select
        {{ scored }}.*,
        {{ name }}_limits.spread as {{ name }}_spread,
        round(cast({{ scored }}.score / sqrt({{ name }}_limits.spread) as numeric(28, 12)), 9) as {{ name }}_z
    from {{ scored }}
    left join {{ name }}_drawn_in as {{ name }}_limits on {{ same }}
)
{%- endmacro %}
