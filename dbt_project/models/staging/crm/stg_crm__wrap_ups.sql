select
    wrap_up_id,
    server_id,
    call_id,
    operator_id,
    topic_id,
    noted_at,
    updated_at
from {{ source('raw', 'wrap_ups') }}
where _superseded_at is null
