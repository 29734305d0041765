-- Calls that quality staff listened to.
select
    concat('E', listening_id) as evaluation_id,
    pbx as server_id,
    call_uid as call_id,
    tab_no as operator_id,
    listener as evaluator_id,
    form_code as form_id,
    concat('v', form_ver) as form_version,
    case mood when 1 then 'warm' when 2 then 'neutral' when 3 then 'cold' when 4 then 'rude' end as tone,
    resolved = 1 as is_solved,
    listened_at as evaluated_at,
    modified_at as updated_at
from listening
where modified_at >= :window_start and modified_at < :window_end
