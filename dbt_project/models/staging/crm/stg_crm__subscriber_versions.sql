-- Every version of a subscriber the CRM ever showed, superseded ones too: attributes as of an event.
select
    subscriber_id,
    phone_hash,
    branch_id,
    technology,
    tariff,
    connected_on,
    left_on,
    updated_at,
    _load_id as load_id,
    _row_no as row_no
from {{ source('raw', 'subscribers') }}
