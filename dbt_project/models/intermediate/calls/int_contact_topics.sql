{{ config(indexes=[{'columns': ['contact_id']}]) }}
-- What each call of the touched days was about: the earliest ticket opened from it, else the operator's latest note,
-- else the class of its queue. A topic that the CRM does not know is 'unmapped'; the noted word is kept beside it.
with
contacts as (
    select * from {{ ref('int_call_contacts') }}
    where {{ in_touched_days('business_day') }}
),

notes as (
    select * from {{ ref('stg_crm__wrap_ups') }}
    where topic_id is not null and {{ since_touched('noted_at', 1) }}
),

tickets as (
    select
        contact_id,
        ticket_id,
        topic_id_as_noted as topic_id,
        row_number() over (partition by contact_id order by opened_at, ticket_id) as ticket_rank,
        row_number() over (
            partition by contact_id
            order by topic_id_as_noted is null, opened_at, ticket_id
        ) as topic_rank
    from {{ ref('int_tickets') }}
    where call_contact_id is not null
),

wrap_ups as (
    select
        contacts.contact_id,
        notes.topic_id,
        row_number() over (
            partition by contacts.contact_id
            order by notes.noted_at desc, notes.wrap_up_id desc
        ) as note_rank
    from notes
    inner join {{ ref('int_call_links') }} as links
        on
            notes.call_id = links.call_id
            and (notes.server_id is null or notes.server_id = links.server_id)
    inner join contacts
        on links.server_id = contacts.server_id and links.root_id = contacts.root_id
),

noted as (
    select
        contacts.contact_id,
        contacts.business_day,
        first_tickets.ticket_id,
        coalesce(topic_tickets.topic_id, wrap_ups.topic_id) as topic_id_as_noted,
        coalesce(topic_tickets.topic_id, wrap_ups.topic_id, 'unspecified_' || contacts.queue_class) as wanted_topic_id,
        case
            when topic_tickets.topic_id is not null then 'ticket'
            when wrap_ups.topic_id is not null then 'wrap_up'
            when contacts.queue_class is not null then 'queue'
            else 'none'
        end as topic_source
    from contacts
    left join tickets as first_tickets
        on contacts.contact_id = first_tickets.contact_id and first_tickets.ticket_rank = 1
    left join tickets as topic_tickets
        on contacts.contact_id = topic_tickets.contact_id and topic_tickets.topic_rank = 1
    left join wrap_ups on contacts.contact_id = wrap_ups.contact_id and wrap_ups.note_rank = 1
)

select
    noted.contact_id,
    noted.ticket_id,
    coalesce(topics.topic_id, 'unmapped') as topic_id,
    noted.topic_id_as_noted,
    topics.topic_class,
    noted.topic_source
from noted
left join {{ ref('int_topics') }} as topics
    on noted.wanted_topic_id = topics.topic_id and {{ holds_on('topics', 'noted.business_day') }}
