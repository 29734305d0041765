-- Tickets that were unsolved when their target passed on a touched day. Where the CRM is not loaded up to that moment
-- nobody knows yet.
with
tickets as (
    select tickets.*
    from {{ ref('fct_tickets') }} as tickets
    inner join {{ ref('int_source_spans') }} as spans
        on
            spans.source = 'crm'
            and tickets.due_at >= spans.span_start
            and tickets.due_at <= spans.span_end
    -- The first day by itself too: of several ranges the planner would read none by the index, but the whole span.
    where {{ touched_range('tickets.due_at', 0, 0) }} and {{ since_touched('tickets.due_at', 0) }}
),

dated as (
    select
        tickets.ticket_id,
        tickets.contact_id,
        tickets.subscriber_id,
        tickets.branch_id,
        tickets.topic_id,
        tickets.operator_id,
        tickets.kind,
        tickets.due_at,
        {{ local_date('tickets.due_at', zone_of('branches')) }} as business_day
    from tickets
    left join {{ ref('int_branches') }} as branches
        on
            tickets.branch_id = branches.branch_id
            and {{ holds_on('branches', local_date('tickets.due_at', default_zone())) }}
),

turns as (
    select
        dated.*,
        events.event,
        row_number() over (
            partition by dated.ticket_id
            order by events.event_at desc, {{ ticket_event_order('events.event') }} desc, events.ticket_event_id desc
        ) as place
    from dated
    left join {{ ref('fct_ticket_events') }} as events
        on
            dated.ticket_id = events.ticket_id
            and dated.due_at >= events.event_at
            and events.event in ('opened', 'solved', 'reopened', 'closed')
)

select
    ticket_id,
    contact_id,
    subscriber_id,
    branch_id,
    topic_id,
    operator_id,
    kind,
    due_at,
    business_day
from turns
where
    place = 1
    and coalesce(event, 'opened') in ('opened', 'reopened')
    and {{ in_touched_days('business_day') }}
