-- Responses of the touched days with the contact, ticket, connection and subscriber each is about.
with
responses as (
    select
        *,
        coalesce(submitted_at, started_at, updated_at) as answered_at
    from {{ ref('stg_survey__responses') }}
    -- Nothing of a response is later than its last change, by which they are looked up.
    where
        {{ touched_range('coalesce(submitted_at, started_at, updated_at)', 0, 0) }}
        and {{ since_touched('updated_at', 0) }}
),

called as (
    select
        responses.survey_id,
        responses.response_id,
        calls.contact_id,
        row_number() over (
            partition by responses.survey_id, responses.response_id
            order by calls.business_day desc, calls.contact_id
        ) as call_rank
    from responses
    inner join {{ ref('int_contact_calls') }} as calls on responses.call_id = calls.call_id
),

callers as (
    select
        responses.survey_id,
        responses.response_id,
        versions.subscriber_id,
        row_number() over (
            partition by responses.survey_id, responses.response_id
            order by versions.connected_on desc nulls last, versions.subscriber_id
        ) as caller_rank
    from responses
    inner join {{ ref('int_subscriber_versions') }} as versions
        on responses.phone_hash = versions.phone_hash and {{ holds_on('versions', 'responses.answered_at') }}
)

select
    responses.*,
    tickets.branch_id as ticket_branch_id,
    tickets.topic_id as ticket_topic_id,
    tickets.operator_id as ticket_operator_id,
    connections.branch_id as connection_branch_id,
    coalesce(called.contact_id, tickets.contact_id) as contact_id,
    coalesce(
        nullif(responses.subscriber_id, ''), tickets.subscriber_id, connections.subscriber_id, callers.subscriber_id
    ) as known_subscriber_id
from responses
left join called
    on
        responses.survey_id = called.survey_id
        and responses.response_id = called.response_id
        and called.call_rank = 1
left join callers
    on
        responses.survey_id = callers.survey_id
        and responses.response_id = callers.response_id
        and callers.caller_rank = 1
left join {{ ref('fct_tickets') }} as tickets on responses.ticket_id = tickets.ticket_id
left join {{ ref('stg_crm__connections') }} as connections on responses.connection_id = connections.connection_id
