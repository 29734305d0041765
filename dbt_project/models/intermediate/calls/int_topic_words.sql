{{ config(indexes=[{'columns': ['contact_id']}]) }}
-- Grain: call of the touched days x source x place: what each source says it was about, the most trusted source first
-- (trust 1). A ticket without a topic stands here too.
with
contacts as (
    select * from {{ ref('int_call_contacts') }}
    where {{ in_touched_days('business_day') }}
),

notes as (
    select * from {{ ref('stg_crm__wrap_ups') }}
    where topic_id is not null and {{ since_touched('noted_at', 1) }}
)

select
    contacts.contact_id,
    'ticket' as source,
    1 as trust,
    row_number() over (
        partition by contacts.contact_id
        order by tickets.opened_at, tickets.ticket_id
    ) as place,
    tickets.topic_id_as_noted as topic_id,
    tickets.ticket_id
from {{ ref('int_tickets') }} as tickets
inner join contacts on tickets.call_contact_id = contacts.contact_id
union all
select
    contacts.contact_id,
    'wrap_up' as source,
    2 as trust,
    row_number() over (
        partition by contacts.contact_id
        order by notes.noted_at desc, notes.wrap_up_id desc
    ) as place,
    notes.topic_id,
    null as ticket_id
from notes
inner join {{ ref('int_call_links') }} as links
    on
        notes.call_id = links.call_id
        and (notes.server_id is null or notes.server_id = links.server_id)
inner join contacts
    on links.server_id = contacts.server_id and links.root_id = contacts.root_id
union all
select
    contact_id,
    'queue' as source,
    3 as trust,
    1 as place,
    'unspecified_' || queue_class as topic_id,
    null as ticket_id
from contacts
where queue_class is not null
