-- The topic an operator noted after a call.
select
    concat('N', n.note_id) as wrap_up_id,
    n.pbx as server_id,
    n.call_uid as call_id,
    n.tab_no as operator_id,
    r.code as topic_id,
    n.created_at as noted_at,
    n.modified_at as updated_at
from call_notes as n
inner join reasons as r on n.reason_id = r.reason_id
where n.modified_at >= :window_start and n.modified_at < :window_end
