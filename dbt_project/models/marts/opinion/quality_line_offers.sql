{{ config(materialized='table') }}
-- Operators differ a little in how they end calls, and with many calls a little becomes significant: to be told, a
-- share must also lie a fifth of the usual one below it after what chance adds is taken out.
with
verdicts as (
    select
        *,
        measure = 'asked' and adjusted_share_eb <= 0.8 * pooled_share as is_low
    from {{ ref('int_offer_verdicts') }}
),

together as (
    select
        *,
        coalesce(bool_or(is_low) over same_unit, false) as is_much_less,
        max(case when measure = 'asked' then verdict end) over same_unit as verdict_asked,
        max(case when measure = 'ended_by_operator' then verdict end) over same_unit as verdict_ended_by_operator,
        max(case when measure = 'asked_when_ended' then verdict end) over same_unit as verdict_asked_when_ended
    from verdicts
    window same_unit as (partition by grain, grain_id)
)

select
    {{ as_of_day() }} as as_of_day,
    grain,
    grain_id,
    measure,
    calls,
    calls_counted,
    share,
    share_low,
    share_high,
    pooled_share,
    calls_expected,
    share_at_full_detail,
    adjusted_share,
    adjusted_share_eb,
    adjusted_share_eb_low,
    adjusted_share_eb_high,
    reliability,
    z,
    dispersion,
    p_value,
    q_value,
    funnel_position,
    verdict,
    case
        when verdict_asked <> 'worse' then verdict_asked
        when not is_much_less then 'asked_a_little_less'
        when verdict_ended_by_operator = 'worse' then 'lets_the_subscriber_hang_up'
        when verdict_asked_when_ended = 'worse' then 'menu_does_not_ask'
        else 'asked_less_otherwise'
    end as reading,
    coalesce(verdict_asked = 'worse' and is_much_less and verdict_ended_by_operator = 'worse', false) as is_flagged
from together
