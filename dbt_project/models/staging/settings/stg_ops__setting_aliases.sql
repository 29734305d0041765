select
    server_id,
    alias,
    agent_name,
    operator_id
from {{ source('ops', 'setting_aliases') }}
