select
    source,
    window_start,
    window_end,
    load_id
from {{ source('ops', 'coverage') }}
