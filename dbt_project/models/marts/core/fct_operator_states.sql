{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- The stretches of an operator's day in one state: what overlaps or touches, in whichever queues, is one.
with
ordered as (
    select
        *,
        max(ended_at) over (
            partition by operator_id, state, business_day
            order by started_at, ended_at
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from {{ ref('int_state_days') }}
    where {{ in_touched_days('business_day') }}
),

-- Of equal stretches (two queues) the one that reached least comes first in both windows: it alone begins an island.
islands as (
    select
        *,
        sum(case when started_at <= reached_at then 0 else 1 end) over (
            partition by operator_id, state, business_day
            order by started_at, ended_at, reached_at nulls first
            rows between unbounded preceding and current row
        ) as island_no
    from ordered
),

united as (
    select
        operator_id,
        min(branch_id) as branch_id,
        state,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        bool_or(is_open) as is_open,
        business_day,
        island_no
    from islands
    group by operator_id, state, business_day, island_no
),

reasons as (
    select
        *,
        row_number() over (
            partition by operator_id, state, business_day, island_no
            order by reason is null, started_at, reason
        ) as reason_rank
    from islands
)

select
    united.operator_id || '|' || united.state || '|' || {{ whole_number_text(epoch_seconds('united.started_at')) }}
        as operator_state_id,
    united.operator_id,
    united.branch_id,
    united.state,
    reasons.reason,
    united.started_at,
    united.ended_at,
    {{ whole_seconds('united.started_at', 'united.ended_at') }} as seconds,
    united.is_open,
    united.business_day
from united
inner join reasons
    on
        united.operator_id = reasons.operator_id
        and united.state = reasons.state
        and united.business_day = reasons.business_day
        and united.island_no = reasons.island_no
        and reasons.reason_rank = 1
