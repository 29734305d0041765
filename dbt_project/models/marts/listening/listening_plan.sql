{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 0, 'after': 120}}
    )
}}
with
draws as (
    select * from {{ ref('int_listening_draw') }}
    where is_drawn and {{ in_reach(0, 120) }}
),

targets as (
    select * from {{ ref('int_listening_targets') }}
    where {{ in_reach(0, 120) }}
),

signals as (
    select * from {{ ref('int_listening_signals') }}
    where {{ in_reach(0, 120) }}
),

margins as (
    select * from {{ ref('int_listening_margins') }}
    where {{ in_reach(0, 120) }}
),

planned as (
    select
        draws.contact_id,
        'sample' as stream,
        case when draws.is_floor then 'floor' else 'stratum' end as reason,
        signals.signal,
        draws.operator_id,
        draws.branch_id,
        draws.topic_id,
        draws.topic_class,
        draws.length_band,
        draws.talk_seconds,
        draws.started_at,
        draws.business_day as call_day,
        draws.stratum_sd,
        draws.stratum_calls,
        draws.stratum_expected,
        draws.stratum_drawn,
        draws.floor_pi,
        draws.rest_pi,
        draws.pi,
        draws.draw_hash,
        row_number() over (partition by draws.business_day order by draws.draw_hash, draws.contact_id) as place,
        draws.business_day
    from draws
    left join signals on draws.contact_id = signals.contact_id and draws.business_day = signals.business_day
    union all
    select
        contact_id,
        'targeted' as stream,
        signal as reason,
        signal,
        operator_id,
        branch_id,
        topic_id,
        topic_class,
        length_band,
        talk_seconds,
        started_at,
        call_day,
        null as stratum_sd,
        null as stratum_calls,
        null as stratum_expected,
        null as stratum_drawn,
        null as floor_pi,
        null as rest_pi,
        null as pi,
        null as draw_hash,
        target_rank as place,
        business_day
    from targets
)

select
    planned.contact_id,
    planned.stream,
    planned.reason,
    planned.signal,
    planned.place,
    planned.operator_id,
    planned.branch_id,
    planned.topic_id,
    planned.topic_class,
    planned.length_band,
    planned.talk_seconds,
    planned.started_at,
    planned.call_day,
    planned.stratum_sd,
    planned.stratum_calls,
    planned.stratum_expected,
    planned.stratum_drawn,
    planned.floor_pi,
    planned.rest_pi,
    planned.pi,
    planned.draw_hash,
    operators.month_calls as operator_month_calls,
    operators.month_planned as operator_month_planned,
    operators.half_width as operator_half_width,
    branches.month_calls as branch_month_calls,
    branches.month_planned as branch_month_planned,
    branches.design_effect as branch_design_effect,
    branches.half_width as branch_half_width,
    branches.month_calls_needed as branch_month_calls_needed,
    {{ margin_note() }} as margin_note,
    planned.business_day
from planned
left join margins as operators
    on
        planned.stream = 'sample' and operators.level = 'operator'
        and planned.operator_id = operators.unit_id and planned.business_day = operators.business_day
left join margins as branches
    on
        planned.stream = 'sample' and branches.level = 'branch'
        and planned.branch_id = branches.unit_id and planned.business_day = branches.business_day
