-- Grain: one answered or other call of the last two periods that a ticket complains about: the first such ticket.
-- Which tickets complain about how a call was handled is configuration. The scorecards' complaint_7d lays any complaint
-- at the last contact before it, named or not: enough to compare people by, too little to review one.
with
contacts as (
    select * from {{ ref('fct_contacts') }}
    where contact_kind = 'call' and {{ in_conduct_periods('business_day') }}
)

select
    contacts.contact_id,
    min(tickets.ticket_id) as ticket_id
from {{ ref('fct_tickets') }} as tickets
inner join contacts on tickets.contact_id = contacts.contact_id
where
    {{ in_conduct_periods('tickets.business_day') }}
    and {{ is_one_of('tickets.kind', var('conduct_complaint_kinds')) }}
    and {{ any_or_one_of('tickets.topic_id', var('conduct_complaint_topics')) }}
    and tickets.opened_at > contacts.ended_at
    and tickets.opened_at <= {{ add_seconds('contacts.ended_at', var('conduct_complaint_days') ~ ' * 86400') }}
group by contacts.contact_id
