-- Orders to connect a line, new ones and changes of technology alike.
select
    concat('ORD-', lpad(concat('', o.order_id), 5, '0')) as connection_id,
    a.contract as subscriber_id,
    o.office_code as branch_id,
    case o.tech when 1 then 'GPON' when 2 then 'FTTB' when 3 then 'ADSL' end as technology,
    o.received_at as ordered_at,
    o.promised as promised_on,
    o.done_at as connected_at,
    o.withdrawn_at as cancelled_at,
    o.modified_at as updated_at
from install_orders as o
inner join abonents as a on o.abonent_id = a.abonent_id
where o.modified_at >= :window_start and o.modified_at < :window_end
