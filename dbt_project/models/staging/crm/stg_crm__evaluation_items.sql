select
    evaluation_id,
    item_id,
    score,
    max_score,
    weight,
    is_applicable,
    is_fatal,
    is_failed,
    fatal_kind,
    updated_at
from {{ source('raw', 'evaluation_items') }}
where _superseded_at is null
