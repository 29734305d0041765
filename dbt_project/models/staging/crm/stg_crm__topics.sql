select
    topic_id,
    topic_name,
    topic_class,
    valid_from,
    valid_to,
    updated_at
from {{ source('raw', 'topics') }}
where _superseded_at is null
