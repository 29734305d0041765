{{ config(materialized='table') }}
with
survival as (
    select * from {{ ref('int_retention_survival') }}
),

shares as (
    select * from {{ ref('int_retention_shares') }}
),

-- Combined cells only where they say something.
joined as (
    select
        survival.experience,
        survival.band,
        survival.window_days,
        shares.subscribers,
        shares.has_left,
        shares.matched,
        shares.matched_events,
        shares.others,
        shares.other_events,
        shares.other_share,
        round(cast(shares.log_ratio as numeric(28, 12)), 9) as log_ratio,
        round(cast(shares.log_ratio_deviation as numeric(28, 12)), 9) as deviation,
        survival.subscribers as survival_subscribers,
        survival.has_left as survival_has_left,
        survival.survived,
        survival.greenwood
    from survival
    left join shares
        on
            survival.experience = shares.experience
            and survival.band = shares.band
            and survival.window_days = shares.window_days
    where position('_and_' in survival.experience) = 0 or survival.subscribers >= 30
),

tested as (
    select
        *,
        case when deviation > 0 then {{ two_sided_p('log_ratio / deviation') }} end as p_value
    from joined
),

ranked as (
    select
        *,
        {{ ranked_p('p_value', 'window_days') }}
    from tested
),

corrected as (
    select
        *,
        {{ q_value('p_value', 'window_days') }} as q_value
    from ranked
)

select
    experience,
    band,
    cast(window_days as bigint) as window_days,
    cast(subscribers as bigint) as subscribers,
    cast(has_left as bigint) as churned,
    {{ rounded(ratio('has_left', 'subscribers')) }} as churn_share,
    {{ wilson_low('has_left', 'subscribers') }} as churn_share_low,
    {{ wilson_high('has_left', 'subscribers') }} as churn_share_high,
    cast(matched as bigint) as matched_subscribers,
    cast(matched_events as bigint) as matched_churned,
    cast(others as bigint) as quiet_subscribers,
    cast(other_events as bigint) as quiet_churned,
    {{ rounded('other_share') }} as quiet_churn_share,
    {{ rounded('exp(log_ratio)') }} as lift,
    {{ rounded('exp(log_ratio - ' ~ z_95() ~ ' * deviation)') }} as lift_low,
    {{ rounded('exp(log_ratio + ' ~ z_95() ~ ' * deviation)') }} as lift_high,
    {{ rounded('p_value') }} as p_value,
    {{ rounded('q_value') }} as q_value,
    case
        when q_value is null then 'not_enough_data'
        when q_value <= 0.05 and log_ratio > 0 then 'more_than_quiet'
        when q_value <= 0.05 then 'fewer_than_quiet'
        else 'not_distinguishable'
    end as verdict,
    survival_subscribers,
    cast(survival_has_left as bigint) as survival_churned,
    {{ rounded('1.0 - survived') }} as survival_churn_share,
    {{ rounded(survival_limit('survived', 'greenwood', '-')) }} as survival_churn_share_low,
    {{ rounded(survival_limit('survived', 'greenwood', '+')) }} as survival_churn_share_high,
    {{ as_of_day() }} as as_of_day
from corrected
