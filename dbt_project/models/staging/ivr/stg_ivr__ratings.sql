select
    server_id,
    file_id,
    line_no,
    time_text,
    rated_at,
    callid,
    caller_hash,
    queue,
    agent,
    question,
    criterion,
    digit,
    read_status
from {{ source('raw', 'ivr_ratings') }}
where _superseded_at is null
