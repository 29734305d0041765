-- Grain: grain (operator, branch) x window x unit. The index of int_measure_points, judged. Its verdict is stricter
-- than that on a measure: who reads both would else meet twice as many false ones (the null worlds of
-- benchmarks/calibration.py).
with
scored as (
    select * from {{ ref('int_measure_points') }}
),

spread as (
    select * from {{ ref('int_measure_index_spread') }}
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
    weight_known,
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
