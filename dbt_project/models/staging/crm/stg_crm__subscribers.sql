select
    subscriber_id,
    phone_hash,
    branch_id,
    technology,
    tariff,
    connected_on,
    left_on,
    updated_at
from {{ source('raw', 'subscribers') }}
where _superseded_at is null
