{#-
CTEs that judge each unit (operator, branch) against all units of the same `keys` (measure, window ...). The last one
is called `judged`.
counted: a CTE with keys, unit, kind ('rate': x of n contacts; 'mean': x is a sum over n), worse_is ('high', 'low'),
least_n (fewer observations are not judged), n, x, expected, variance: as expected_by_case_mix gives them.
family: columns within which false discoveries are controlled, by default the keys; give fewer of them where a reader
sees the verdicts of several measures at once.
Columns of `judged` beside those:
  rate, pooled_rate          x / n of the unit, and of all units
  wilson_low, wilson_high    95 % interval of the rate (normal interval of a mean)
  eb_rate, reliability_raw   empirical Bayes: (x + m * pooled) / (n + m) and n / (n + m)
  adjusted_rate              rate if the unit had the usual case mix: observed / expected * pooled (means: difference)
  eb_adjusted_rate, eb_weight     the adjusted rate shrunk to the pooled one by t2 / (t2 + s2)
  eb_low, eb_high            95 % interval of eb_adjusted_rate
  eb_deviation               its standard deviation
  between_deviation          standard deviation t of the units' true adjusted rates
  observed_to_expected       x / expected
  z, dispersion              distance from the expectation in standard deviations, over-dispersion taken out; the factor
                             by which it widens the variance
  funnel_low_95, funnel_high_95, funnel_low_998, funnel_high_998   limits of the rate around the expectation
  funnel_position            inside, or better / worse beyond 95 or 99.8 %
  p_value, q_value           two-sided; false discovery rate over all units of the family that are judged
  verdict                    better, usual, worse, not_enough_data, not_distinguishable
  reliability                share of the spread of usual units that is not chance, at most eb_weight
  place                      1 is the best; null below reliability 0.7
How units are compared
  s2, the chance of one adjusted rate, follows its case mix: contacts that nearly always end well tell less of a ratio.
  t2 is DerSimonian and Laird's moment estimate plus its standard error: the estimate alone is 0 half the time where
  units do differ, and would publish intervals that cover the truth far below 95 % (benchmarks/calibration.py).
  A few units far off make t2 large and would lend everybody else a place: reliability takes the spread of the scores
  winsorised at 10 and 90 % instead.
  Over-dispersion is additive: what units usually differ by widens the limits of those with many contacts most. It is
  estimated from the same winsorised scores, divided by what that leaves of a normal variance.
Sources: Spiegelhalter 2005 (funnel; "Handling over-dispersion of performance indicators"), DerSimonian and Laird 1986,
Efron and Morris (empirical Bayes by moments), Anscombe 1948 (arcsine score of a rate), Benjamini and Hochberg 1995.
-#}
{% macro judged_ctes(counted, keys, unit, family=none) -%}
{%- set by = keys | join(', ') -%}
{%- set float = dbt.type_float() -%}
pooled as (
    select
        *,
        x / n as rate_exact,
        sum(x) over same_keys / sum(n) over same_keys as pooled_exact,
        count(*) over same_keys as units,
        (sum(n) over same_keys - sum(n * n) over same_keys / sum(n) over same_keys)
        / nullif(count(*) over same_keys - 1, 0) as n_between,
        case
            when kind = 'mean' then sum(variance) over same_keys / sum(n) over same_keys
            else sum(x) over same_keys / sum(n) over same_keys * (1 - sum(x) over same_keys / sum(n) over same_keys)
        end as within_variance
    from {{ counted }}
    where n > 0
    window same_keys as (partition by {{ by }})
),

adjusted as (
    select
        *,
        case
            when kind = 'mean' then rate_exact - expected / n + pooled_exact
            else least(x / nullif(expected, 0) * pooled_exact, 1)
        end as adjusted_exact,
        case
            when kind = 'mean' then variance / (n * n)
            else variance * (pooled_exact / nullif(expected, 0)) * (pooled_exact / nullif(expected, 0))
        end as chance_variance,
        case when kind = 'mean' then n_between else n_between - 1 end as n_effective,
        -- How much less than independent equal chances the contacts of this case mix vary.
        case
            when kind = 'rate' and variance > 0
                then least(greatest(expected * (1 - expected / n) / variance, 1), 4)
        end as evenness
    from pooled
),

spread as (
    select
        *,
        sum(n * (rate_exact - pooled_exact) * (rate_exact - pooled_exact)) over same_keys
        / nullif(units - 1, 0) as between_raw,
        count(1 / nullif(chance_variance, 0)) over same_keys as t_units,
        sum(1 / nullif(chance_variance, 0)) over same_keys as t_weight,
        sum(1 / nullif(chance_variance * chance_variance, 0)) over same_keys as t_weight_squares,
        sum((adjusted_exact - pooled_exact) * (adjusted_exact - pooled_exact) / nullif(chance_variance, 0))
            over same_keys as t_heterogeneity,
        case when kind = 'mean' then n * n / nullif(variance, 0) else (4 * n + 2) * evenness end as z_weight
    from adjusted
    window same_keys as (partition by {{ by }})
),

shrunk as (
    select
        *,
        {{ prior_strength('between_raw') }} as prior_raw,
        case
            when t_units > 1 then (t_heterogeneity - (t_units - 1)) / (t_weight - t_weight_squares / t_weight)
        end as t_moment,
        case
            when t_units > 1
                then sqrt(cast(2 * (t_units - 1) as numeric(28, 6))) / (t_weight - t_weight_squares / t_weight)
        end as t_error,
        round(cast(case
            when kind = 'mean' then (x - expected) / nullif(sqrt(variance), 0)
            when expected > 0 and expected < n
                then
                    sqrt(cast(z_weight as {{ float }})) * (
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
        greatest(coalesce(
            (
                count(*) * {{ winsorised_square('shrunk.z_plain', 'limits.z_p10', 'limits.z_p90') }}
                - (count(*) - 1)
            ) / nullif(sum(shrunk.z_weight) - sum(shrunk.z_weight * shrunk.z_weight) / sum(shrunk.z_weight), 0)
        , 0), 0) as usual_variance,
        count(*) as units_judged
    from shrunk
    inner join limits on {% for key in keys %}shrunk.{{ key }} = limits.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    where shrunk.n >= shrunk.least_n and shrunk.z_plain is not null
    group by {% for key in keys %}shrunk.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
),

widened as (
    select
        shrunk.*,
        1 + case when winsorised.units_judged > 1 then winsorised.usual_variance * shrunk.z_weight else 0 end as dispersion,
        greatest(shrunk.t_moment, 0) + shrunk.t_error as between_variance
    from shrunk
    left join winsorised on {% for key in keys %}shrunk.{{ key }} = winsorised.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
),

tested as (
    select
        *,
        z_plain / sqrt(dispersion) as z,
        case when n >= least_n then {{ two_sided_p('z_plain / sqrt(dispersion)') }} end as p_value,
        coalesce(n / (n + prior_raw), 0) as reliability_raw,
        round(cast(coalesce(
            between_variance / nullif(between_variance + chance_variance, 0), 0
        ) as numeric(28, 12)), 9) as eb_weight,
        round(cast(1 - 1 / dispersion as numeric(28, 12)), 9) as usual_reliability
    from widened
),

ranked as (
    select
        *,
        {{ ranked_p('p_value', (family or keys) | join(', ')) }},
        case when worse_is = 'high' then z else -z end as worse_by,
        pooled_exact + reliability_raw * (rate_exact - pooled_exact) as eb_exact,
        least(eb_weight, usual_reliability) as reliability,
        pooled_exact + eb_weight * coalesce(adjusted_exact - pooled_exact, 0) as eb_adjusted_exact
    from tested
),

corrected as (
    select
        *,
        {{ q_value('p_value', (family or keys) | join(', ')) }} as q_value,
        -- Null for a single unit: nobody to learn from.
        case
            when between_variance is not null
                then sqrt(
                    eb_weight * chance_variance
                    * case
                        when kind = 'mean' then 1
                        else greatest(eb_adjusted_exact * (1 - eb_adjusted_exact), 0) / nullif(within_variance, 0)
                    end
                )
        end as eb_deviation_exact
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
        {{ rounded(within_scale('eb_adjusted_exact - ' ~ z_95() ~ ' * eb_deviation_exact')) }} as eb_low,
        {{ rounded(within_scale('eb_adjusted_exact + ' ~ z_95() ~ ' * eb_deviation_exact')) }} as eb_high,
        {{ rounded('eb_deviation_exact') }} as eb_deviation,
        {{ rounded('sqrt(between_variance)') }} as between_deviation,
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
            when t_moment is null or t_moment <= 0 then 'not_distinguishable'
            when q_value <= 0.05 and worse_by >= {{ z_95() }} then 'worse'
            when q_value <= 0.05 and worse_by <= -{{ z_95() }} then 'better'
            else 'usual'
        end as verdict,
        case
            when reliability >= 0.7 and n >= least_n and t_moment > 0
                then rank() over (
                    partition by
                        {{ by }}, case when reliability >= 0.7 and n >= least_n and t_moment > 0 then 1 else 0 end
                    order by case when worse_is = 'high' then eb_adjusted_exact else -eb_adjusted_exact end
                )
        end as place
    from corrected
)
{%- endmacro %}

{#- The variance that winsorising at the 10 and 90 % points leaves of a standard normal value. -#}
{% macro winsorised_variance() -%}0.678655{%- endmacro %}

{#- Mean square of the distance from `centre`, of values held between two limits, brought back to a normal variance. -#}
{% macro winsorised_square(value, low, high, centre=0) -%}
avg(power(
            cast(least(greatest(cast({{ value }} as {{ dbt.type_float() }}), {{ low }}), {{ high }}) as numeric(28, 9))
            - {{ centre }}, 2
        )) / {{ winsorised_variance() }}
{%- endmacro %}

{#- A figure held within 0 and 1 where it is a rate. -#}
{% macro within_scale(expression) -%}
case
            when kind = 'mean' or {{ expression }} between 0 and 1 then {{ expression }}
            when {{ expression }} < 0 then 0
            when {{ expression }} > 1 then 1
        end
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
