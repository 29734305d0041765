select
    ticket_event_id,
    ticket_id,
    event,
    is_public,
    operator_id,
    event_at,
    updated_at
from {{ source('raw', 'ticket_events') }}
where _superseded_at is null
