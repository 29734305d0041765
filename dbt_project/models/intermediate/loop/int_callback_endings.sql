{{ config(pre_hook="{{ days_by_bitmaps(or_whole=true) }}") }}
-- Grain: one owed call-back whose matter ended before it expired, whether called or not, near the touched days: the
-- ticket was opened again, or the subscriber left (the contract's end, at the local midnight of the branch).
with
owed as (
    select * from {{ ref('int_owed_callbacks') }} where {{ in_reach(42, 0) }}
),

reopenings as (
    select
        owed.callback_id,
        min(events.event_at) as reopened_at
    from owed
    inner join {{ ref('fct_ticket_events') }} as events
        on
            owed.ticket_id = events.ticket_id
            and owed.owed_at < events.event_at
            and owed.expires_at >= events.event_at
    where
        events.event = 'reopened'
        and {{ is_about_a_solution('owed.reason') }}
        and {{ near_touched_days('events.business_day', 42, 42) }}
    group by owed.callback_id
),

leavers as (
    select
        owed.callback_id,
        owed.expires_at,
        {{ local_instant('subscribers.left_on', zone_of('branches')) }} as left_at
    from owed
    inner join {{ ref('dim_subscriber') }} as subscribers
        on owed.subscriber_id = subscribers.subscriber_id and subscribers.left_on is not null
    left join {{ ref('int_branches') }} as branches
        on owed.branch_id = branches.branch_id and {{ holds_on('branches', 'owed.business_day') }}
),

left_before as (
    select * from leavers where left_at < expires_at and left_at <= {{ data_until() }}
)

select
    owed.callback_id,
    reopenings.reopened_at,
    left_before.left_at
from owed
left join reopenings on owed.callback_id = reopenings.callback_id
left join left_before on owed.callback_id = left_before.callback_id
where reopenings.callback_id is not null or left_before.callback_id is not null
