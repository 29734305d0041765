select
    measure_id,
    branch_id,
    topic_id,
    surge_id,
    what,
    owner,
    started_at,
    ended_at,
    updated_at
from {{ source('raw', 'measures') }}
where _superseded_at is null
