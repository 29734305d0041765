{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 0, 'after': 120}}
    )
}}
with
planned as (
    select * from {{ ref('int_listening_planned') }}
    where {{ in_reach(0, 120) }}
),

margins as (
    select * from {{ ref('int_listening_margins') }}
    where {{ in_reach(0, 120) }}
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
