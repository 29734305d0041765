-- Our branches from the CRM's offices. A row is read when it changed within the window.
select
    code as branch_id,
    title as branch_name,
    district as region,
    tz as time_zone,
    since as valid_from,
    until as valid_to,
    modified_at as updated_at
from offices
where modified_at >= :window_start and modified_at < :window_end
