select
    branch_id,
    day
from {{ source('ops', 'setting_holidays') }}
