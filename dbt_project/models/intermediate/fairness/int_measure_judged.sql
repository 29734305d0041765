{% set figures = ['n', 'x', 'expected', 'share_at_full_detail', 'z', 'dispersion', 'p_value', 'q_value', 'reliability',
    'reliability_raw', 'eb_weight'] -%}
-- Grain: grain (operator, branch) x measure x window x unit. Each unit judged against all units of its grain. A reader
-- of a scorecard sees the verdicts of all measures at once: false discoveries are controlled over all of them.
with
counted as (
    select
        expected.*,
        measures.kind,
        measures.scale,
        measures.worse_is,
        measures.weight,
        measures.step,
        measures.least_n
    from {{ ref('int_measure_expected') }} as expected
    inner join {{ ref('int_scorecard_measures') }} as measures
        on expected.grain = measures.grain and expected.measure = measures.measure
),

{{ judged_ctes('counted', ['grain', 'measure', 'window_days', 'period_no'], 'unit_id',
               family=['grain', 'window_days', 'period_no']) }},

-- The place by the raw figure, as reports usually give it.
final as (
    select
        *,
        case
            when n >= least_n
                then rank() over (
                    partition by
                        grain, measure, window_days, period_no, case when n >= least_n then 1 else 0 end
                    order by case when worse_is = 'high' then rate_exact else -rate_exact end
                )
        end as place_raw,
        n >= least_n and z is not null as is_known,
        case when worse_is = 'high' then 1 else -1 end as direction
    from judged
)

select
    grain,
    measure,
    window_days,
    period_no,
    unit_id,
    {% for name in figures -%}
        {{ rounded(name) }} as {{ name }},
    {% endfor -%}
    rate,
    pooled_rate,
    wilson_low,
    wilson_high,
    eb_rate,
    observed_to_expected,
    adjusted_rate,
    eb_adjusted_rate,
    eb_low,
    eb_high,
    eb_deviation,
    between_deviation,
    funnel_low_95,
    funnel_high_95,
    funnel_low_998,
    funnel_high_998,
    funnel_position,
    verdict,
    units,
    place,
    place_raw,
    is_known,
    direction,
    scale,
    weight,
    step
from final
