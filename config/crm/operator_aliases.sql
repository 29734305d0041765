-- One account of the PBX is two names in its log: the member name and the device.
select
    shown_as as alias,
    pbx as server_id,
    tab_no as operator_id,
    since as valid_from,
    until as valid_to,
    modified_at as updated_at
from pbx_accounts
where modified_at >= :window_start and modified_at < :window_end
union all
select
    device as alias,
    pbx as server_id,
    tab_no as operator_id,
    since as valid_from,
    until as valid_to,
    modified_at as updated_at
from pbx_accounts
where modified_at >= :window_start and modified_at < :window_end
