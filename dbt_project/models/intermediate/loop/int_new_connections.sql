-- Lines that began to work on a touched day of their branch.
with
connections as (
    select
        connections.*,
        {{ local_date('connections.connected_at', zone_of('branches')) }} as connected_on
    from {{ ref('fct_connections') }} as connections
    left join {{ ref('int_branches') }} as branches
        on
            connections.branch_id = branches.branch_id
            and {{ holds_on('branches', local_date('connections.connected_at', default_zone())) }}
    where {{ touched_range('connections.connected_at', 0, 0) }}
)

select
    connection_id,
    subscriber_id,
    branch_id,
    connected_at,
    connected_on as business_day
from connections
where {{ in_touched_days('connected_on') }}
