-- Each solution of a ticket on the touched days: a ticket that is opened again and solved again is solved twice, one
-- that is marked solved and closed later only once, one that is closed without being marked solved then.
with
solved as (
    select distinct ticket_id from {{ ref('fct_ticket_events') }}
    where event in ('solved', 'closed') and {{ in_touched_days('business_day') }}
),

turns as (
    select
        events.*,
        lag(events.event) over (
            partition by events.ticket_id
            order by events.event_at, {{ ticket_event_order('events.event') }}, events.ticket_event_id
        ) as event_before
    from {{ ref('fct_ticket_events') }} as events
    inner join solved on events.ticket_id = solved.ticket_id
    where events.event in ('opened', 'solved', 'reopened', 'closed')
)

select
    ticket_event_id,
    ticket_id,
    operator_id,
    branch_id,
    topic_id,
    event_at as solved_at,
    business_day
from turns
where
    event in ('solved', 'closed')
    and coalesce(event_before, 'opened') in ('opened', 'reopened')
    and {{ in_touched_days('business_day') }}
