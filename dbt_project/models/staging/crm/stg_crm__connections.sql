select
    connection_id,
    subscriber_id,
    branch_id,
    technology,
    ordered_at,
    promised_on,
    connected_at,
    cancelled_at,
    updated_at
from {{ source('raw', 'connections') }}
where _superseded_at is null
