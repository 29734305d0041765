{{ config(materialized='table') }}
with
judged as (
    select * from {{ ref('int_conduct_judged') }}
),

scores as (
    select * from {{ ref('int_conduct_scores') }}
),

signals as (
    {{ conduct_signal_rows() }}
),

-- Distance that is usual between operators, on the worse side.
limited as (
    select
        judged.*,
        signals.unit,
        signals.scale,
        scores.z,
        scores.q_value,
        coalesce(scores.verdict, 'not_enough_data') as verdict,
        case when judged.worse_is = 'high' then 1 else -1 end * {{ z_95() }}
        * sqrt(judged.variance * judged.dispersion * scores.spread) / judged.n as usual_distance
    from judged
    inner join signals on judged.signal = signals.signal
    left join scores
        on
            judged.period = scores.period
            and judged.signal = scores.test
            and judged.operator_id = scores.operator_id
)

select
    operator_id,
    aspect,
    signal,
    cast(period as bigint) as period,
    case when period = 0 then {{ as_of_day(27) }} else {{ as_of_day(55) }} end as first_day,
    case when period = 0 then {{ as_of_day() }} else {{ as_of_day(28) }} end as last_day,
    unit,
    {{ rounded('n', 3) }} as n,
    {{ published('x / n') }} as observed,
    {{ published('wilson_low') }} as observed_low,
    {{ published('wilson_high') }} as observed_high,
    {{ published('expected / n') }} as expected,
    {{ published('pooled_rate') }} as pooled,
    {{ published('expected / n + usual_distance') }} as worse_limit,
    {{ rounded('reliability') }} as reliability,
    {{ rounded('share_at_full_detail') }} as share_at_full_detail,
    coalesce(listeners, 0) as listeners,
    coalesce(listeners_who_noticed, 0) as listeners_who_noticed,
    {{ rounded('z', 6) }} as z,
    q_value,
    verdict,
    {{ as_of_day() }} as as_of_day
from limited
