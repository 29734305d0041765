select
    alias,
    server_id,
    operator_id,
    valid_from,
    valid_to,
    updated_at
from {{ source('raw', 'operator_aliases') }}
where _superseded_at is null
