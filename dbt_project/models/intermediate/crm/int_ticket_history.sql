-- What happened to the tickets opened on the touched days.
with
tickets as (
    select * from {{ ref('int_tickets') }}
    where {{ in_touched_days('business_day') }}
),

events as (
    select * from {{ ref('stg_crm__ticket_events') }}
    where {{ since_touched('event_at', 1) }}
)

select
    tickets.ticket_id,
    min(events.event_at) filter (where events.event = 'replied' and events.is_public) as first_reply_at,
    coalesce(
        max(events.event_at) filter (where events.event = 'solved'),
        max(events.event_at) filter (where events.event = 'closed')
    ) as solved_at,
    max(events.event_at) filter (where events.event = 'closed') as closed_at,
    count(*) filter (where events.event = 'reopened') as reopened_count,
    count(*) filter (where events.event = 'replied' and events.is_public) as public_replies
from tickets
left join events on tickets.ticket_id = events.ticket_id
group by tickets.ticket_id
