select
    branch_id,
    branch_name,
    region,
    time_zone,
    valid_from,
    valid_to,
    updated_at
from {{ source('raw', 'branches') }}
where _superseded_at is null
