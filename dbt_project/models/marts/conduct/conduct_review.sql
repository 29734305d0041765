{{ config(materialized='table') }}
with
decisions as (
    select * from {{ ref('int_conduct_decisions') }}
),

circumstances as (
    select
        *,
        case when has_harder_case_mix then 'the contacts were harder than usual; ' else '' end
        || case when has_small_numbers then 'the strongest signal rests on few observations; ' else '' end
        || case when is_improving then 'the later period is better than the one before; ' else '' end
        || case when has_few_raters then 'fewer than 30 subscribers rated politeness; ' else '' end
        || case when has_few_listeners then 'fewer than two listeners heard calls; ' else '' end
        || case when is_recent_hire then 'hired less than 90 days ago; ' else '' end
        || case when good_signals is not null then 'as expected or better: ' || good_signals else '' end as told
    from {{ ref('int_conduct_circumstances') }}
),

signals as (
    select * from {{ ref('conduct_signals') }}
),

evidence as (
    select
        operator_id,
        aspect,
        count(*) as items
    from {{ ref('conduct_evidence') }}
    group by operator_id, aspect
),

calibration as (
    select * from {{ ref('int_conduct_calibration') }}
)

select
    decisions.operator_id,
    decisions.aspect,
    decisions.state,
    case decisions.state
        when 'review'
            then
                'Review proposed: listen to the calls of conduct_evidence together with the person, and ask about the '
                || 'circumstances. No decision about the person follows from this row alone.'
        when 'watch' then 'Look again after the next period. Nothing is proposed now.'
        when 'usual' then 'None: within what is usual among operators.'
        else 'None: too few observations to say anything.'
    end as proposal,
    decisions.verdict_latest,
    decisions.verdict_before,
    {{ rounded('decisions.score_latest', 6) }} as score_latest,
    {{ rounded('decisions.score_before', 6) }} as score_before,
    decisions.tests_worse_twice,
    decisions.leading_signal,
    later.unit as leading_unit,
    {{ conduct_figures('later', 'latest') }},
    {{ conduct_figures('before', 'before') }},
    decisions.wrong_share_by_fdr,
    case when decisions.state = 'review' then calibration.wrong_share_high end as likely_wrong_share,
    calibration.source as likely_wrong_source,
    circumstances.raw_place_latest,
    circumstances.raw_place_before,
    coalesce(nullif({{ without_last('circumstances.told') }}, ''), 'nothing in these data; ask the person')
        as speaks_for,
    circumstances.has_harder_case_mix,
    circumstances.has_small_numbers,
    circumstances.is_improving,
    circumstances.has_few_raters,
    circumstances.has_few_listeners,
    circumstances.is_recent_hire,
    coalesce(evidence.items, 0) as evidence_items,
    {{ as_of_day() }} as as_of_day
from decisions
inner join circumstances
    on decisions.operator_id = circumstances.operator_id and decisions.aspect = circumstances.aspect
left join signals as later
    on
        decisions.operator_id = later.operator_id
        and decisions.leading_signal = later.signal
        and later.period = 0
left join signals as before
    on
        decisions.operator_id = before.operator_id
        and decisions.leading_signal = before.signal
        and before.period = 1
left join evidence on decisions.operator_id = evidence.operator_id and decisions.aspect = evidence.aspect
left join calibration on decisions.aspect = calibration.aspect
