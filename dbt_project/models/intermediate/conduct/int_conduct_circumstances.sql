-- Grain: operator x aspect. What speaks for the person.
with
judged as (
    select * from {{ ref('int_conduct_judged') }}
),

scores as (
    select * from {{ ref('int_conduct_scores') }}
),

-- Harder than usual: at others the same topics bring a tenth more talk, or 0.05 rating points less.
harder as (
    select
        operator_id,
        aspect,
        case
            when aspect = 'slowness' then usual_of_topics - usual_of_all > 0.0953
            else usual_of_all - usual_of_topics > 0.05
        end as is_harder_mix
    from {{ ref('int_conduct_case_mix') }}
),

decisions as (
    select * from {{ ref('int_conduct_decisions') }}
),

hired as (
    select
        operator_id,
        max(hired_on) as hired_on
    from {{ ref('dim_operator') }}
    group by operator_id
),

measured as (
    select * from {{ ref('int_conduct_places') }}
),

strongest as (
    select
        decisions.operator_id,
        decisions.aspect,
        min(judged.reliability) < 0.7 or min(judged.n / judged.least_n) < 2 as is_small
    from decisions
    inner join judged
        on
            decisions.operator_id = judged.operator_id
            and decisions.aspect = judged.aspect
            and decisions.leading_signal = judged.signal
    group by decisions.operator_id, decisions.aspect
),

good as (
    select
        operator_id,
        aspect,
        {{ dbt.listagg("test", "', '", "order by test") }} as good_signals
    from scores
    where period = 0 and test <> 'together' and z <= 0
    group by operator_id, aspect
)

select
    decisions.operator_id,
    decisions.aspect,
    measured.raw_place_latest,
    measured.raw_place_before,
    coalesce(harder.is_harder_mix, false) as has_harder_case_mix,
    coalesce(strongest.is_small, true) as has_small_numbers,
    coalesce(decisions.score_latest <= decisions.score_before - 1, false) as is_improving,
    decisions.aspect = 'rudeness' and coalesce(measured.raters, 0) < 30 as has_few_raters,
    decisions.aspect = 'rudeness' and coalesce(measured.listeners, 0) < 2 as has_few_listeners,
    coalesce(hired.hired_on > {{ as_of_day(90) }}, false) as is_recent_hire,
    good.good_signals
from decisions
left join measured on decisions.operator_id = measured.operator_id and decisions.aspect = measured.aspect
left join harder on decisions.operator_id = harder.operator_id and decisions.aspect = harder.aspect
left join strongest on decisions.operator_id = strongest.operator_id and decisions.aspect = strongest.aspect
left join good on decisions.operator_id = good.operator_id and decisions.aspect = good.aspect
left join hired on decisions.operator_id = hired.operator_id
