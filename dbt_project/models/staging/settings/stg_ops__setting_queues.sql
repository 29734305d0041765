select
    server_id,
    queue,
    branch_id,
    topic_class,
    service_level_seconds,
    short_abandon_seconds,
    valid_from,
    valid_to
from {{ source('ops', 'setting_queues') }}
