-- Status changes and replies of tickets.
select
    concat('H', h.entry_id) as ticket_event_id,
    c.case_no as ticket_id,
    case h.action
        when 10 then 'opened'
        when 15 then 'assigned'
        when 20 then 'replied'
        when 30 then 'solved'
        when 40 then 'reopened'
        when 90 then 'closed'
    end as event,
    h.for_client = 1 as is_public,
    h.tab_no as operator_id,
    h.happened_at as event_at,
    h.modified_at as updated_at
from case_history as h
inner join cases as c on h.case_id = c.case_id
where h.modified_at >= :window_start and h.modified_at < :window_end
