select
    ticket_id,
    subscriber_id,
    branch_id,
    topic_id,
    kind,
    channel,
    priority,
    server_id,
    call_id,
    operator_id,
    is_valid_fault,
    fault_part,
    outage_id,
    opened_at,
    due_at,
    status,
    updated_at
from {{ source('raw', 'tickets') }}
where _superseded_at is null
