-- Special measures against a surge of a topic. surge_id is the id that topic_surges and the alert name, where somebody
-- noted it; without it the measure goes with the surge that ran in its branch and topic when it began. A provider whose
-- CRM has no such table makes one (a form with these fields is enough), or deletes this file.
select
    concat('M-', o.action_id) as measure_id,
    o.office_code as branch_id,
    r.code as topic_id,
    o.surge_ref as surge_id,
    o.summary as what,
    o.responsible as owner,
    o.begun_at as started_at,
    o.finished_at as ended_at,
    o.modified_at as updated_at
from office_actions as o
inner join reasons as r on o.reason_id = r.reason_id
where o.modified_at >= :window_start and o.modified_at < :window_end
