select
    branch_id,
    iso_weekday,
    opens_minute,
    closes_minute
from {{ source('ops', 'setting_hours') }}
