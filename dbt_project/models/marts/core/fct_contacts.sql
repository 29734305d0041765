{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
calls as (
    select * from {{ ref('int_call_contacts') }}
    where {{ in_touched_days('business_day') }}
),

topics as (
    select * from {{ ref('int_contact_topics') }}
),

tickets as (
    select * from {{ ref('int_tickets') }}
    where call_contact_id is null and {{ in_touched_days('business_day') }}
)

select
    calls.contact_id,
    'call' as contact_kind,
    'phone' as channel,
    calls.server_id,
    calls.root_id as linkedid,
    calls.subscriber_id,
    calls.caller_hash,
    calls.started_at,
    calls.ended_at,
    calls.branch_id,
    calls.first_queue,
    calls.queue_visits,
    calls.outcome,
    calls.outcome = 'answered' as is_handled,
    calls.first_operator_id,
    calls.last_operator_id,
    calls.operators,
    calls.wait_seconds,
    calls.ring_seconds,
    calls.talk_seconds,
    calls.transfers,
    calls.queue_visits > 1 as has_overflow,
    calls.hung_up_by,
    topics.topic_id,
    topics.topic_id_as_noted,
    topics.topic_class,
    topics.topic_source,
    calls.first_queue is not null as owes_class,
    topics.ticket_id,
    calls.technology,
    calls.business_day
from calls
inner join topics on calls.contact_id = topics.contact_id
union all
select
    contact_id,
    'ticket' as contact_kind,
    channel,
    null as server_id,
    null as linkedid,
    subscriber_id,
    phone_hash as caller_hash,
    opened_at as started_at,
    opened_at as ended_at,
    branch_id,
    null as first_queue,
    0 as queue_visits,
    'none' as outcome,
    true as is_handled,
    operator_id as first_operator_id,
    operator_id as last_operator_id,
    case when operator_id is null then 0 else 1 end as operators,
    null as wait_seconds,
    null as ring_seconds,
    null as talk_seconds,
    0 as transfers,
    false as has_overflow,
    null as hung_up_by,
    topic_id,
    topic_id_as_noted,
    topic_class,
    case when topic_class is null then 'none' else 'ticket' end as topic_source,
    true as owes_class,
    ticket_id,
    technology,
    business_day
from tickets
