-- Where an operator worked when.
select
    tab_no as operator_id,
    office_code as branch_id,
    unit as team,
    since as valid_from,
    until as valid_to,
    modified_at as updated_at
from staff_postings
where modified_at >= :window_start and modified_at < :window_end
