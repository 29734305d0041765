{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unlogged=false,
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: one owed call-back, on the branch's local day on which it became owed.
with
solutions as (
    select
        solutions.*,
        tickets.kind,
        tickets.contact_id,
        tickets.subscriber_id,
        coalesce(solutions.operator_id, tickets.operator_id) as known_operator_id
    from {{ ref('int_ticket_solutions') }} as solutions
    left join {{ ref('fct_tickets') }} as tickets on solutions.ticket_id = tickets.ticket_id
),

owed as (
    select
        {{ owed_call("'connection|' || connection_id", "'new_connection'", "'connection'", 'connected_at',
                     connection_id='connection_id') }}
    from {{ ref('int_new_connections') }}
    union all
    select
        {{ owed_call("'solved|' || ticket_event_id", solved_reason('kind'), ticket_moment('kind'), 'solved_at',
                     contact_id='contact_id', ticket_id='ticket_id', topic_id='topic_id',
                     operator_id='known_operator_id') }}
    from solutions
    union all
    select
        {{ owed_call("'past_target|' || ticket_id", "'past_target'", ticket_moment('kind'), 'due_at',
                     contact_id='contact_id', ticket_id='ticket_id', topic_id='topic_id', operator_id='operator_id') }}
    from {{ ref('int_missed_targets') }}
    union all
    select
        {{ owed_call("'low_rating|' || contact_id", "'low_rating'", "'service'", 'rated_at',
                     contact_id='contact_id', ticket_id='ticket_id', topic_id='topic_id', operator_id='operator_id',
                     lowest_rating='lowest_rating') }}
    from {{ ref('int_low_ratings') }}
)

select
    owed.callback_id,
    owed.reason,
    owed.key_moment,
    owed.contact_id,
    owed.ticket_id,
    owed.connection_id,
    owed.subscriber_id,
    owed.branch_id,
    owed.topic_id,
    topics.topic_class,
    owed.operator_id,
    owed.lowest_rating,
    owed.owed_at,
    {{ add_seconds('owed.owed_at', '3600 * ' ~ callback_due_hours('owed.reason')) }} as due_at,
    {{ add_seconds('owed.owed_at', '86400 * ' ~ var('callback_expires_days')) }} as expires_at,
    owed.business_day
from owed
left join {{ ref('int_topics') }} as topics
    on owed.topic_id = topics.topic_id and {{ holds_on('topics', 'owed.business_day') }}
where {{ in_touched_days('owed.business_day') }}
