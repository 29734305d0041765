select
    branch_id,
    branch_name,
    region,
    time_zone
from {{ source('ops', 'setting_branches') }}
