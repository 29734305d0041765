select
    evaluation_id,
    server_id,
    call_id,
    operator_id,
    evaluator_id,
    form_id,
    form_version,
    tone,
    is_solved,
    evaluated_at,
    updated_at
from {{ source('raw', 'evaluations') }}
where _superseded_at is null
