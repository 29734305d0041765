{#-
CTEs that judge each unit (operator, branch) against all units of the same `keys` (measure, window ...). The last one
is called `judged`.
counted: a CTE with keys, unit, kind ('rate': x of n contacts; 'mean': x is a sum over n), worse_is ('high', 'low'),
least_n (fewer observations are not judged), n, x, expected, variance: as expected_by_case_mix gives them.
Columns of `judged` beside those:
  rate, pooled_rate          x / n of the unit, and of all units
  wilson_low, wilson_high    95 % interval of the rate (normal interval of a mean)
  eb_rate, reliability_raw   empirical Bayes: (x + m * pooled) / (n + m) and n / (n + m)
  adjusted_rate              rate if the unit had the usual case mix: observed / expected * pooled (means: difference)
  eb_adjusted_rate, reliability   the same for the adjusted rate
  eb_low, eb_high            95 % interval of eb_adjusted_rate
  observed_to_expected       x / expected
  z, dispersion              distance from the expectation in standard deviations, over-dispersion taken out; its factor
  funnel_low_95, funnel_high_95, funnel_low_998, funnel_high_998   limits of the rate around the expectation
  funnel_position            inside, or better / worse beyond 95 or 99.8 %
  p_value, q_value           two-sided; false discovery rate over all units that are judged
  verdict                    better, usual, worse, not_enough_data, not_distinguishable
  place                      1 is the best; null below reliability 0.7
Sources: Spiegelhalter 2005 (funnel, winsorised over-dispersion), Efron and Morris (empirical Bayes by moments),
Anscombe 1948 (arcsine score of a rate), Benjamini and Hochberg 1995.
-#}
{% macro judged_ctes(counted, keys, unit) -%}
{%- set by = keys | join(', ') -%}
{%- set float = dbt.type_float() -%}
adjusted as (
    select
        *,
        x / n as rate_exact,
        sum(x) over same_keys / sum(n) over same_keys as pooled_exact,
        count(*) over same_keys as units,
        sum(n) over same_keys as n_all,
        (sum(n) over same_keys - sum(n * n) over same_keys / sum(n) over same_keys)
        / nullif(count(*) over same_keys - 1, 0) as n_between,
        case
            when kind = 'mean' then sum(variance) over same_keys / sum(n) over same_keys
            else sum(x) over same_keys / sum(n) over same_keys * (1 - sum(x) over same_keys / sum(n) over same_keys)
        end as within_variance,
        case
            when kind = 'mean' then x / n - expected / n + sum(x) over same_keys / sum(n) over same_keys
            else least(x / nullif(expected, 0) * sum(x) over same_keys / sum(n) over same_keys, 1)
        end as adjusted_exact
    from {{ counted }}
    where n > 0
    window same_keys as (partition by {{ by }})
),

spread as (
    select
        *,
        sum(n * (rate_exact - pooled_exact) * (rate_exact - pooled_exact)) over (partition by {{ by }})
        / nullif(units - 1, 0) as between_raw,
        sum(n * (adjusted_exact - pooled_exact) * (adjusted_exact - pooled_exact)) over (partition by {{ by }})
        / nullif(units - 1, 0) as between_adjusted,
        case when kind = 'mean' then n_between else n_between - 1 end as n_effective
    from adjusted
),

shrunk as (
    select
        *,
        {{ prior_strength('between_raw') }} as prior_raw,
        {{ prior_strength('between_adjusted') }} as prior_adjusted,
        round(cast(case
            when kind = 'mean' then (x - expected) / nullif(sqrt(variance), 0)
            when expected > 0 and expected < n
                then
                    2.0 * sqrt(cast(n as {{ float }}) + 0.5) * (
                        asin(sqrt(cast((x + 0.375) / (n + 0.75) as {{ float }})))
                        - asin(sqrt(cast((expected + 0.375) / (n + 0.75) as {{ float }})))
                    )
        end as numeric(28, 12)), 9) as z_plain
    from spread
),

limits as (
    select
        {{ by }},
        percentile_cont(0.1) within group (order by cast(z_plain as {{ float }})) as z_p10,
        percentile_cont(0.9) within group (order by cast(z_plain as {{ float }})) as z_p90
    from shrunk
    where n >= least_n and z_plain is not null
    group by {{ by }}
),

winsorised as (
    select
        {% for key in keys %}shrunk.{{ key }},
        {% endfor -%}
        greatest(avg(power(
            cast(least(greatest(cast(shrunk.z_plain as {{ float }}), limits.z_p10), limits.z_p90) as numeric(28, 9)), 2
        )), 1) as dispersion
    from shrunk
    inner join limits on {% for key in keys %}shrunk.{{ key }} = limits.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    where shrunk.n >= shrunk.least_n and shrunk.z_plain is not null
    group by {% for key in keys %}shrunk.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
),

tested as (
    select
        shrunk.*,
        coalesce(winsorised.dispersion, 1) as dispersion,
        shrunk.z_plain / sqrt(coalesce(winsorised.dispersion, 1)) as z,
        case
            when shrunk.n >= shrunk.least_n then {{ two_sided_p('shrunk.z_plain / sqrt(coalesce(winsorised.dispersion, 1))') }}
        end as p_value
    from shrunk
    left join winsorised on {% for key in keys %}shrunk.{{ key }} = winsorised.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
),

ranked as (
    select
        *,
        {{ ranked_p('p_value', by) }},
        coalesce(n / (n + prior_raw), 0) as reliability_raw,
        coalesce(n / (n + prior_adjusted), 0) as reliability,
        case when worse_is = 'high' then z else -z end as worse_by
    from tested
),

corrected as (
    select
        *,
        {{ q_value('p_value', by) }} as q_value,
        pooled_exact + reliability_raw * (rate_exact - pooled_exact) as eb_exact,
        pooled_exact + reliability * (adjusted_exact - pooled_exact) as eb_adjusted_exact,
        case
            when kind = 'mean' then sqrt(reliability * within_variance / n)
            else sqrt(greatest(
                (pooled_exact + reliability * (adjusted_exact - pooled_exact))
                * (1 - pooled_exact - reliability * (adjusted_exact - pooled_exact)), 0
            ) / (n + prior_adjusted + 1))
        end as eb_deviation
    from ranked
),

judged as (
    select
        *,
        {{ rounded('rate_exact') }} as rate,
        {{ rounded('pooled_exact') }} as pooled_rate,
        case
            when kind = 'mean' then {{ rounded('rate_exact - ' ~ z_95() ~ ' * sqrt(variance) / n') }}
            else {{ wilson_low('x', 'n') }}
        end as wilson_low,
        case
            when kind = 'mean' then {{ rounded('rate_exact + ' ~ z_95() ~ ' * sqrt(variance) / n') }}
            else {{ wilson_high('x', 'n') }}
        end as wilson_high,
        {{ rounded('eb_exact') }} as eb_rate,
        {{ rounded('adjusted_exact') }} as adjusted_rate,
        {{ rounded('eb_adjusted_exact') }} as eb_adjusted_rate,
        {{ rounded('eb_adjusted_exact - ' ~ z_95() ~ ' * eb_deviation') }} as eb_low,
        {{ rounded('eb_adjusted_exact + ' ~ z_95() ~ ' * eb_deviation') }} as eb_high,
        {{ rounded('x / nullif(expected, 0)') }} as observed_to_expected,
        {% for name, points in [('95', z_95()), ('998', z_998())] -%}
        {{ rounded('(expected - ' ~ points ~ ' * sqrt(variance * dispersion)) / n') }} as funnel_low_{{ name }},
        {{ rounded('(expected + ' ~ points ~ ' * sqrt(variance * dispersion)) / n') }} as funnel_high_{{ name }},
        {% endfor -%}
        case
            when n < least_n or z is null then null
            when worse_by >= {{ z_998() }} then 'worse_99_8'
            when worse_by >= {{ z_95() }} then 'worse_95'
            when worse_by <= -{{ z_998() }} then 'better_99_8'
            when worse_by <= -{{ z_95() }} then 'better_95'
            else 'inside'
        end as funnel_position,
        case
            when n < least_n or z is null then 'not_enough_data'
            when prior_adjusted is null then 'not_distinguishable'
            when q_value <= 0.05 and worse_by >= {{ z_95() }} then 'worse'
            when q_value <= 0.05 and worse_by <= -{{ z_95() }} then 'better'
            else 'usual'
        end as verdict,
        case
            when reliability >= 0.7 and n >= least_n
                then rank() over (
                    partition by {{ by }}, case when reliability >= 0.7 and n >= least_n then 1 else 0 end
                    order by case when worse_is = 'high' then eb_adjusted_exact else -eb_adjusted_exact end
                )
        end as place
    from corrected
)
{%- endmacro %}

{#-
Strength m of the prior in observations, by moments from the variance between units (a column); null where the units
do not differ more than chance makes them. Rates: m = v / tau2 - 1 with tau2 = (s2 - v) / (n0 - 1), at least 1.
-#}
{% macro prior_strength(between) -%}
case
            when n_effective > 0 and within_variance > 0 and {{ between }} > within_variance
                then
                    case
                        when kind = 'mean' then within_variance * n_effective / ({{ between }} - within_variance)
                        else greatest(within_variance * n_effective / ({{ between }} - within_variance) - 1, 1)
                    end
        end
{%- endmacro %}
