-- Windows whose rows have been promoted.
select
    source,
    window_start,
    window_end,
    load_id
from {{ source('ops', 'coverage') }}
