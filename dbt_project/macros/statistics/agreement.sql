{#-
CTEs that compare two raters who put the same cases into ordered classes 1, 2, ... `classes`. The last one is called
`agreed`: one row of keys with
  cases, agreed_cases                     number of cases, and of those that both put into the same class
  kappa_<w>, kappa_<w>_low, kappa_<w>_high   for w = linear and quadratic: weighted kappa and its 95 % interval, in -1..1
Linear weights count two classes apart as twice one class apart, quadratic ones as four times. Null where kappa is not
defined: one rater used one class only and the other the same one. The interval is null where its variance is 0.
counted: a CTE with `keys`, class_a, class_b (whole numbers) and n, any number of rows for a cell.
Sources: Cohen 1968; the variance of Fleiss, Cohen and Everitt 1969, as in statsmodels' cohens_kappa.
-#}
{% macro kappa_ctes(counted, keys, classes=3) -%}
{%- set by = keys | join(', ') -%}
{%- set kinds = {'linear': 'abs(class_a - class_b) / ' ~ (classes - 1) ~ '.0',
    'quadratic': '(class_a - class_b) * (class_a - class_b) / ' ~ (classes - 1) * (classes - 1) ~ '.0'} -%}
kappa_cells as (
    select
        {{ by }},
        class_a,
        class_b,
        cast(sum(n) as numeric(28, 12)) as n
    from {{ counted }}
    group by {{ by }}, class_a, class_b
),

kappa_margins as (
    select
        *,
        sum(n) over (partition by {{ by }}) as total,
        sum(n) over (partition by {{ by }}, class_a) as total_a,
        sum(n) over (partition by {{ by }}, class_b) as total_b
    from kappa_cells
),

-- What each class would agree on by chance with the classes of the other rater.
kappa_rows as (
    select
        {{ by }},
        class_a as class,
        max(total_a) / max(total) as share_a
    from kappa_margins
    group by {{ by }}, class_a
),

kappa_columns as (
    select
        {{ by }},
        class_b as class,
        max(total_b) / max(total) as share_b
    from kappa_margins
    group by {{ by }}, class_b
),

kappa_pairs as (
    select
        {% for key in keys %}kappa_rows.{{ key }},
        {% endfor -%}
        kappa_rows.class as class_a,
        kappa_columns.class as class_b,
        kappa_rows.share_a,
        kappa_columns.share_b
    from kappa_rows
    inner join kappa_columns
        on {% for key in keys %}kappa_rows.{{ key }} = kappa_columns.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
),

kappa_weighted as (
    select
        {% for key in keys %}pairs.{{ key }},
        {% endfor -%}
        pairs.class_a,
        pairs.class_b,
        coalesce(cells.n, 0) as n,
        coalesce(cells.n, 0) / sum(coalesce(cells.n, 0)) over same_keys as p,
        {% for kind, distance in kinds.items() -%}
        1 - pairs.distance_{{ kind }} as w_{{ kind }},
        sum((1 - pairs.distance_{{ kind }}) * pairs.share_a * pairs.share_b) over same_keys as chance_{{ kind }},
        sum((1 - pairs.distance_{{ kind }}) * pairs.share_b) over same_a as row_{{ kind }},
        sum((1 - pairs.distance_{{ kind }}) * pairs.share_a) over same_b as column_{{ kind }}{{ ',' if not loop.last }}
        {% endfor %}
    from (
        select
            *
            {%- for kind, distance in kinds.items() %},
            cast({{ distance }} as numeric(28, 12)) as distance_{{ kind }}
            {%- endfor %}
        from kappa_pairs
    ) as pairs
    left join kappa_cells as cells
        on
            {% for key in keys %}pairs.{{ key }} = cells.{{ key }} and {% endfor -%}
            pairs.class_a = cells.class_a and pairs.class_b = cells.class_b
    window
        same_keys as (partition by {% for key in keys %}pairs.{{ key }}{{ ', ' if not loop.last }}{% endfor %}),
        same_a as (partition by {% for key in keys %}pairs.{{ key }}, {% endfor %}pairs.class_a),
        same_b as (partition by {% for key in keys %}pairs.{{ key }}, {% endfor %}pairs.class_b)
),

kappa_observed as (
    select
        *
        {%- for kind in kinds %},
        1 - (1 - sum(w_{{ kind }} * p) over (partition by {{ by }})) / nullif(1 - chance_{{ kind }}, 0) as k_{{ kind }}
        {%- endfor %}
    from kappa_weighted
),

kappa_spread as (
    select
        {{ by }},
        cast(sum(n) as bigint) as cases,
        cast(coalesce(sum(n) filter (where class_a = class_b), 0) as bigint) as agreed_cases,
        {% for kind in kinds -%}
        max(k_{{ kind }}) as k_{{ kind }},
        greatest((
            sum(p * power(w_{{ kind }} - (row_{{ kind }} + column_{{ kind }}) * (1 - k_{{ kind }}), 2))
            - power(max(k_{{ kind }}) - max(chance_{{ kind }}) * (1 - max(k_{{ kind }})), 2)
        ) / nullif(power(1 - max(chance_{{ kind }}), 2) * sum(n), 0), 0) as v_{{ kind }}{{ ',' if not loop.last }}
        {% endfor %}
    from kappa_observed
    group by {{ by }}
),

agreed as (
    select
        {{ by }},
        cases,
        agreed_cases
        {%- for kind in kinds %},
        {{ rounded('k_' ~ kind) }} as kappa_{{ kind }}
        {%- for limit, sign in [('low', '-'), ('high', '+')] %},
        case
            when v_{{ kind }} > 0.000000001
                then {{ rounded('greatest(least(k_' ~ kind ~ ' ' ~ sign ~ ' ' ~ z_95() ~ ' * sqrt(v_' ~ kind ~ '), 1), -1)') }}
        end as kappa_{{ kind }}_{{ limit }}
        {%- endfor %}
        {%- endfor %}
    from kappa_spread
)
{%- endmacro %}

{#-
CTEs that correlate two columns by rank. The last one is called `correlated`: one row of keys with points (rows where
both are known), spearman (-1..1; null where one column has a single value) and spearman_low, spearman_high (95 %;
null below 10 points and where the correlation is complete). Equal values share their mean rank.
Sources: Spearman 1904; interval by Fisher's z with the variance of Bonett and Wright 2000, (1 + r^2 / 2) / (n - 3).
-#}
{% macro spearman_ctes(points, keys, x, y) -%}
{%- set by = keys | join(', ') -%}
rank_places as (
    select
        {{ by }},
        {% for name, value in [('a', x), ('b', y)] -%}
        rank() over (partition by {{ by }} order by {{ value }} asc nulls last)
        + (count(*) over (partition by {{ by }}, {{ value }}) - 1) / 2.0 as place_{{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ points }}
    where {{ x }} is not null and {{ y }} is not null
),

rank_sums as (
    select
        {{ by }},
        count(*) as points,
        count(*) * sum(place_a * place_b) - sum(place_a) * sum(place_b) as together,
        count(*) * sum(place_a * place_a) - sum(place_a) * sum(place_a) as alone_a,
        count(*) * sum(place_b * place_b) - sum(place_b) * sum(place_b) as alone_b
    from rank_places
    group by {{ by }}
),

rank_correlation as (
    select
        *,
        round(together / nullif(sqrt(cast(alone_a as numeric(38, 6)) * alone_b), 0), 12) as r
    from rank_sums
),

correlated as (
    select
        {{ by }},
        points,
        {{ rounded('r') }} as spearman
        {%- for limit, sign in [('low', '-'), ('high', '+')] %},
        case
            when points >= 10 and abs(r) < 1
                then {{ rounded(tanh('0.5 * ln((1 + r) / (1 - r)) ' ~ sign ~ ' ' ~ z_95()
                    ~ ' * sqrt((1 + r * r / 2) / (points - 3))')) }}
        end as spearman_{{ limit }}
        {%- endfor %}
    from rank_correlation
)
{%- endmacro %}

{% macro tanh(x) -%}
(1 - 2 / (exp(2 * ({{ x }})) + 1))
{%- endmacro %}
