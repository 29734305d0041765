{% set number = 'numeric(28, 12)' -%}
-- Grain: grain (operator, branch) x window x unit. One figure for all measures: 100 is the usual unit with the same
-- contacts; a unit that is better by the step of every measure has 110. Made of the shrunk adjusted rates, so that what
-- is hardly known counts hardly; null where less than half of the weight is known. The verdict is stricter than that on
-- a measure: who reads both would else meet twice as many false ones (the null worlds of benchmarks/calibration.py).
with
judged as (
    select * from {{ ref('int_measure_judged') }} where weight > 0
),

weighed as (
    select
        grain,
        window_days,
        period_no,
        unit_id,
        cast(weight / step as {{ number }}) as w,
        weight,
        is_known,
        direction * cast(rate - pooled_rate as {{ number }}) as off_raw,
        direction * cast(adjusted_rate - pooled_rate as {{ number }}) as off,
        direction * cast(eb_adjusted_rate - pooled_rate as {{ number }}) as off_shrunk,
        cast(eb_deviation as {{ number }}) * cast(eb_deviation as {{ number }}) as eb_variance,
        cast(between_deviation as {{ number }}) * cast(between_deviation as {{ number }}) as between_variance,
        cast(eb_weight as {{ number }}) as eb_weight
    from judged
),

-- No measure of the provider's is missing because nobody has it: the whole is what anybody has.
possible as (
    select
        grain,
        window_days,
        period_no,
        sum(weight) as weight
    from (
        select distinct
            grain,
            measure,
            window_days,
            period_no,
            weight
        from judged
    ) as measured
    group by grain, window_days, period_no
),

added as (
    select
        grain,
        window_days,
        period_no,
        unit_id,
        count(*) as measures,
        sum(weight) as weight,
        sum(w * off_raw) as off_raw,
        sum(w * off) as off,
        sum(w * off_shrunk) as off_shrunk,
        sum(w * w * eb_variance) as eb_variance,
        sum(w * w * between_variance) as between_variance,
        sum(w * w * between_variance * eb_weight) as known_variance
    from weighed
    where is_known and eb_variance is not null
    group by grain, window_days, period_no, unit_id
),

scored as (
    select
        added.*,
        added.weight / nullif(possible.weight, 0) as weight_share,
        100 - 10 * added.off_raw / added.weight as raw_exact,
        100 - 10 * added.off / added.weight as adjusted_exact,
        100 - 10 * added.off_shrunk / added.weight as index_exact,
        10 * sqrt(added.eb_variance) / added.weight as deviation_exact,
        added.known_variance / nullif(added.between_variance, 0) as known_share,
        round(cast(added.off_shrunk / nullif(sqrt(added.known_variance), 0) as numeric(28, 12)), 9) as z_plain
    from added
    inner join possible
        on
            added.grain = possible.grain
            and added.window_days = possible.window_days
            and added.period_no = possible.period_no
    where added.measures >= 3 and added.weight >= 0.5 * possible.weight
),

-- Who is good at one thing may be good at others: the spread of the scores themselves is the yardstick.
limits as (
    select
        grain,
        window_days,
        period_no,
        percentile_cont(0.1) within group (order by cast(z_plain as {{ dbt.type_float() }})) as z_p10,
        percentile_cont(0.9) within group (order by cast(z_plain as {{ dbt.type_float() }})) as z_p90,
        percentile_cont(0.1) within group (order by cast(index_exact as {{ dbt.type_float() }})) as index_p10,
        percentile_cont(0.9) within group (order by cast(index_exact as {{ dbt.type_float() }})) as index_p90
    from scored
    group by grain, window_days, period_no
),

spread as (
    select
        scored.grain,
        scored.window_days,
        scored.period_no,
        greatest({{ winsorised_square('scored.z_plain', 'limits.z_p10', 'limits.z_p90') }}, 1) as dispersion,
        {{ winsorised_square('scored.index_exact', 'limits.index_p10', 'limits.index_p90', 100) }} as usual_variance
    from scored
    inner join limits
        on
            scored.grain = limits.grain
            and scored.window_days = limits.window_days
            and scored.period_no = limits.period_no
    group by scored.grain, scored.window_days, scored.period_no
),

tested as (
    select
        scored.*,
        spread.dispersion,
        scored.z_plain / sqrt(spread.dispersion) as z,
        {{ two_sided_p('scored.z_plain / sqrt(spread.dispersion)') }} as p_value,
        least(
            scored.known_share,
            spread.usual_variance / nullif(spread.usual_variance + scored.deviation_exact * scored.deviation_exact, 0)
        ) as reliability_exact
    from scored
    inner join spread
        on
            scored.grain = spread.grain
            and scored.window_days = spread.window_days
            and scored.period_no = spread.period_no
),

ranked as (
    select
        *,
        {{ ranked_p('p_value', 'grain, window_days, period_no') }}
    from tested
),

corrected as (
    select
        *,
        {{ q_value('p_value', 'grain, window_days, period_no') }} as q_value
    from ranked
)

select
    grain,
    window_days,
    period_no,
    unit_id,
    measures,
    weight as weight_known,
    {{ rounded('weight_share') }} as weight_share,
    {{ rounded('raw_exact') }} as index_raw,
    {{ rounded('adjusted_exact') }} as index_adjusted,
    {{ rounded('index_exact') }} as index_points,
    {{ rounded('index_exact - ' ~ z_95() ~ ' * deviation_exact') }} as index_low,
    {{ rounded('index_exact + ' ~ z_95() ~ ' * deviation_exact') }} as index_high,
    {{ rounded('reliability_exact') }} as reliability,
    {{ rounded('dispersion') }} as dispersion,
    {{ rounded('z') }} as z,
    {{ rounded('p_value') }} as p_value,
    {{ rounded('q_value') }} as q_value,
    case
        when z is null then 'not_distinguishable'
        when q_value <= 0.01 and z >= {{ z_998() }} then 'worse'
        when q_value <= 0.01 and z <= -{{ z_998() }} then 'better'
        else 'usual'
    end as verdict,
    count(*) over same_window as units,
    case
        when reliability_exact >= 0.7
            then rank() over (
                partition by grain, window_days, period_no, case when reliability_exact >= 0.7 then 1 else 0 end
                order by index_exact desc
            )
    end as place,
    rank() over (partition by grain, window_days, period_no order by raw_exact desc) as place_raw
from corrected
window same_window as (partition by grain, window_days, period_no)
