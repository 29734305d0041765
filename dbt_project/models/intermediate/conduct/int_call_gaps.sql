-- Grain: one answered call of the touched days, and when the operator was next at work: from the call's end to the
-- ring of the next call he took, to his pause or logout. No gap where he was in a pause or another call already, nor
-- where the log shows nothing after it. It is cut at ten minutes: a longer absence is not told by the log.
with
answered as (
    select * from {{ ref('fct_queue_visits') }}
    where
        outcome = 'answered' and operator_id is not null and ended_at is not null
        and {{ in_touched_days('business_day') }}
),

states as (
    select * from {{ ref('fct_operator_states') }}
    where {{ in_touched_days('business_day') }}
),

-- What happens to an operator, in order; in one instant an end comes before a beginning.
moments as (
    select
        operator_id,
        business_day,
        queue_visit_id,
        ended_at as at,
        1 as step,
        cast(null as {{ type_instant() }}) as stops_at,
        cast(null as {{ type_instant() }}) as busy_until
    from answered
    union all
    select
        operator_id,
        business_day,
        queue_visit_id,
        {{ add_seconds('answered_at', '-coalesce(ring_seconds, 0)') }} as at,
        2 as step,
        {{ add_seconds('answered_at', '-coalesce(ring_seconds, 0)') }} as stops_at,
        ended_at as busy_until
    from answered
    union all
    select
        operator_id,
        business_day,
        operator_state_id as queue_visit_id,
        case when state = 'pause' then started_at else ended_at end as at,
        3 as step,
        case when state = 'pause' then started_at else ended_at end as stops_at,
        case when state = 'pause' then ended_at end as busy_until
    from states
),

followed as (
    select
        *,
        -- From the last to the first, as a running minimum: what follows would be gone through anew for each moment.
        min(stops_at) over (
            partition by operator_id, business_day
            order by at desc, step desc, queue_visit_id desc
            rows between unbounded preceding and 1 preceding
        ) as next_at,
        max(busy_until) over (
            partition by operator_id, business_day
            order by at, step, queue_visit_id
            rows between unbounded preceding and current row
        ) as engaged_until
    from moments
)

select
    answered.queue_visit_id,
    answered.contact_id,
    answered.operator_id,
    answered.server_id,
    answered.queue,
    answered.branch_id,
    answered.ended_at as since,
    least(followed.next_at, {{ add_seconds('answered.ended_at', 600) }}) as until,
    answered.business_day
from answered
inner join followed on answered.queue_visit_id = followed.queue_visit_id and followed.step = 1
where followed.next_at is not null and (followed.engaged_until is null or followed.engaged_until <= answered.ended_at)
