-- Scores, one row per criterion of the form. A fatal criterion without its point is failed.
select
    concat('E', m.listening_id) as evaluation_id,
    c.code as item_id,
    m.points as score,
    c.max_points as max_score,
    c.weight,
    m.not_applicable = 0 as is_applicable,
    c.fatal is not null as is_fatal,
    c.fatal is not null and coalesce(m.points, 1) = 0 as is_failed,
    case c.fatal when 'C' then 'customer' when 'B' then 'business' when 'L' then 'compliance' end as fatal_kind,
    m.modified_at as updated_at
from listening_marks as m
inner join listening_criteria as c on m.criterion_id = c.criterion_id
where m.modified_at >= :window_start and m.modified_at < :window_end
