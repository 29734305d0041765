-- People who take calls. The tab number is their id everywhere else too.
select
    tab_no as operator_id,
    concat(given_name, ' ', surname) as operator_name,
    employed as hired_on,
    dismissed as left_on,
    modified_at as updated_at
from staff
where modified_at >= :window_start and modified_at < :window_end
