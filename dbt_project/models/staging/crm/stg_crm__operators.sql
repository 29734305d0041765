select
    operator_id,
    operator_name,
    hired_on,
    left_on,
    updated_at
from {{ source('raw', 'operators') }}
where _superseded_at is null
