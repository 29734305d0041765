{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 7, 'after': 120}},
        indexes=[{'columns': ['business_day']}],
        pre_hook="{{ hashed_joins() }}"
    )
}}
-- Grain: one evaluation, with what the plan said about its call, and how it counts in the means:
--   plan      by the probability of the plan's draw: calls of the sample, from the first day that people work by it on
--   stratum   before it, or without one: as a random part of its stratum and month
--   null      not at all: targeted calls, others that people chose beside the plan, talks too short to be drawn
-- The plan of a complaint stands on a later day than the call.
{% set plan_from = "cast('" ~ (var('listening_plan_from') or '9999-12-31') ~ "' as date)" %}
with
evaluations as (
    select * from {{ ref('fct_evaluations') }}
    where {{ in_reach(7, 120) }}
),

pool as (
    select
        contact_id,
        length_band,
        business_day
    from {{ ref('int_listening_pool') }}
    where {{ in_reach(7, 120) }}
),

plans as (
    select
        contact_id,
        stream,
        reason,
        pi,
        row_number() over (partition by contact_id order by stream, business_day) as plan_rank
    from {{ ref('listening_plan') }}
    where {{ near_touched_days('business_day', 7, 127) }}
),

placed as (
    select
        evaluations.*,
        pool.length_band,
        case
            when evaluations.business_day < {{ plan_from }} or plans.contact_id is null then 'outside_plan'
            else plans.stream
        end as stream,
        case when evaluations.business_day >= {{ plan_from }} then plans.reason end as reason,
        case when evaluations.business_day >= {{ plan_from }} then plans.pi end as plan_pi
    from evaluations
    left join pool
        on evaluations.contact_id = pool.contact_id and evaluations.business_day = pool.business_day
    left join plans on evaluations.contact_id = plans.contact_id and plans.plan_rank = 1
)

select
    evaluation_id,
    contact_id,
    operator_id,
    evaluator_id,
    branch_id,
    coalesce(topic_id, 'unmapped') as topic_id,
    coalesce(topic_class, 'unknown') as topic_class,
    length_band,
    form_id,
    form_version,
    evaluated_at,
    stream,
    reason,
    plan_pi as pi,
    case
        when length_band is null then null
        when business_day < {{ plan_from }} then 'stratum'
        when stream = 'sample' then 'plan'
    end as pi_source,
    score,
    score_raw,
    fatal_errors,
    tone,
    is_rude,
    is_solved,
    business_day
from placed
