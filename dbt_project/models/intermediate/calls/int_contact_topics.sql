{{ config(indexes=[{'columns': ['contact_id']}]) }}
-- Grain: call of the touched days: what it was about. The earliest ticket opened from it, else the operator's latest
-- note, else the class of the first queue that has one. A word that the CRM does not know says nothing about the class:
-- the next source counts, and the word is kept beside it. Where no source knows one the topic is 'unmapped'.
with
contacts as (
    select * from {{ ref('int_call_contacts') }}
    where {{ in_touched_days('business_day') }}
),

words as (
    select * from {{ ref('int_topic_words') }}
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
    where source <> 'queue' and topic_id is not null
)

select
    contacts.contact_id,
    tickets.ticket_id,
    coalesce(known.topic_id, 'unmapped') as topic_id,
    noted.topic_id as topic_id_as_noted,
    known.topic_class,
    coalesce(known.source, 'none') as topic_source
from contacts
left join words as tickets
    on contacts.contact_id = tickets.contact_id and tickets.source = 'ticket' and tickets.place = 1
left join known on contacts.contact_id = known.contact_id and known.choice = 1
left join noted on contacts.contact_id = noted.contact_id and noted.choice = 1
