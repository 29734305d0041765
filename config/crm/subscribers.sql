-- Subscribers. The CRM numbers technologies; our words are GPON, FTTB, ADSL.
select
    a.contract as subscriber_id,
    a.phone,
    a.office_code as branch_id,
    case a.tech when 1 then 'GPON' when 2 then 'FTTB' when 3 then 'ADSL' end as technology,
    p.title as tariff,
    a.activated as connected_on,
    a.ended as left_on,
    a.modified_at as updated_at
from abonents as a
left join plans as p on a.plan_id = p.plan_id
where a.modified_at >= :window_start and a.modified_at < :window_end
