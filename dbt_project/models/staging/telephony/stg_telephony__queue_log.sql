select
    server_id,
    file_id,
    line_no,
    log_seq,
    time_text,
    event_at,
    callid,
    queue,
    agent,
    event,
    caller_hash,
    params
from {{ source('raw', 'queue_log') }}
where _superseded_at is null
