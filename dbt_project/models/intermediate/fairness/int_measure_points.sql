{% set number = 'numeric(28, 12)' -%}
-- Grain: grain (operator, branch) x window x unit. One figure for all measures, not yet judged or rounded: 100 is the
-- usual unit with the same contacts; a unit that is better by the step of every measure has 110. Made of the shrunk
-- adjusted rates, so that what is hardly known counts hardly. No row where less than half of the weight is known.
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
measured as (
    select distinct
        grain,
        measure,
        window_days,
        period_no,
        weight
    from judged
),

possible as (
    select
        grain,
        window_days,
        period_no,
        sum(weight) as weight
    from measured
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
)

select
    added.grain,
    added.window_days,
    added.period_no,
    added.unit_id,
    added.measures,
    added.weight as weight_known,
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
