-- What contacts are about; the class of a topic holds for a period.
select
    r.code as topic_id,
    r.title as topic_name,
    case g.letter when 'M' then 'marketing' when 'T' then 'technical' when 'C' then 'client_service' end as topic_class,
    g.since as valid_from,
    g.until as valid_to,
    g.modified_at as updated_at
from reason_groups as g
inner join reasons as r on g.reason_id = r.reason_id
where g.modified_at >= :window_start and g.modified_at < :window_end
