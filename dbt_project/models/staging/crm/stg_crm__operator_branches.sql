select
    operator_id,
    branch_id,
    team,
    valid_from,
    valid_to,
    updated_at
from {{ source('raw', 'operator_branches') }}
where _superseded_at is null
