{{ config(indexes=[{'columns': ['contact_id']}]) }}
-- What each call of the touched days was about: the earliest ticket opened from it, else the operator's latest note,
-- else the class of the first queue that has one. A word that the CRM does not know says nothing about the class: the
-- next source counts, and the word is kept beside it. Where no source knows one the topic is 'unmapped'.
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
        row_number() over (partition by contact_id order by opened_at, ticket_id) as place
    from {{ ref('int_tickets') }}
    where call_contact_id is not null
),

words as (
    select
        contact_id,
        topic_id,
        'ticket' as source,
        1 as trust,
        place
    from tickets
    where topic_id is not null
    union all
    select
        contacts.contact_id,
        notes.topic_id,
        'wrap_up' as source,
        2 as trust,
        row_number() over (
            partition by contacts.contact_id
            order by notes.noted_at desc, notes.wrap_up_id desc
        ) as place
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
        'unspecified_' || queue_class as topic_id,
        'queue' as source,
        3 as trust,
        1 as place
    from contacts
    where queue_class is not null
),

known as (
    select
        words.contact_id,
        words.source,
        topics.topic_id,
        topics.topic_class,
        row_number() over (
            partition by words.contact_id
            order by topics.topic_class is null, words.trust, words.place
        ) as choice
    from words
    inner join contacts on words.contact_id = contacts.contact_id
    inner join {{ ref('int_topics') }} as topics
        on words.topic_id = topics.topic_id and {{ holds_on('topics', 'contacts.business_day') }}
),

noted as (
    select
        contact_id,
        topic_id,
        row_number() over (partition by contact_id order by trust, place) as choice
    from words
    where source <> 'queue'
)

select
    contacts.contact_id,
    tickets.ticket_id,
    coalesce(known.topic_id, 'unmapped') as topic_id,
    noted.topic_id as topic_id_as_noted,
    known.topic_class,
    coalesce(known.source, 'none') as topic_source
from contacts
left join tickets on contacts.contact_id = tickets.contact_id and tickets.place = 1
left join known on contacts.contact_id = known.contact_id and known.choice = 1
left join noted on contacts.contact_id = noted.contact_id and noted.choice = 1
