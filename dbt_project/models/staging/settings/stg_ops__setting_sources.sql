select
    table_name,
    source,
    is_configured
from {{ source('ops', 'setting_sources') }}
