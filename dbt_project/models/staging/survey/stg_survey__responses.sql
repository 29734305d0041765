select
    survey_id,
    response_id,
    survey_kind,
    started_at,
    submitted_at,
    updated_at,
    is_complete,
    subscriber_id,
    phone_hash,
    ticket_id,
    connection_id,
    call_id,
    operator_id,
    is_solved,
    is_first_contact,
    satisfaction,
    recommend,
    effort,
    comment,
    attempt_outcome
from {{ source('raw', 'survey_responses') }}
where _superseded_at is null
