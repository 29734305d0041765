-- Requests, faults and complaints. call_id ties a ticket to the call that opened it.
select
    c.case_no as ticket_id,
    a.contract as subscriber_id,
    c.office_code as branch_id,
    r.code as topic_id,
    case c.kind when 'R' then 'request' when 'F' then 'fault' when 'C' then 'complaint' end as kind,
    c.came_by as channel,
    case c.urgency when 1 then 'high' when 2 then 'normal' else 'low' end as priority,
    c.pbx as server_id,
    c.call_uid as call_id,
    c.tab_no as operator_id,
    c.confirmed = 1 as is_valid_fault,
    case c.place when 'A' then 'access' when 'O' then 'other' end as fault_part,
    c.outage_no as outage_id,
    c.created_at as opened_at,
    c.deadline_at as due_at,
    case c.state when 1 then 'open' when 2 then 'solved' when 3 then 'closed' end as status,
    c.modified_at as updated_at
from cases as c
inner join reasons as r on c.reason_id = r.reason_id
left join abonents as a on c.abonent_id = a.abonent_id
where c.modified_at >= :window_start and c.modified_at < :window_end
