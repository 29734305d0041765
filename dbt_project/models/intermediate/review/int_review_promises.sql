-- Grain: branch ('*': all) x week x item, near the touched days: lines connected by the promised day, and valid faults
-- repaired within their target, in the week it happened. Orders and tickets of the 180 days before are looked at.
with
connections as (
    select
        connections.branch_id,
        connections.is_on_promise as is_kept,
        {{ local_date('connections.connected_at', zone_of('branches')) }} as business_day
    from {{ ref('fct_connections') }} as connections
    left join {{ ref('int_branches') }} as branches
        on connections.branch_id = branches.branch_id and {{ holds_on('branches', 'connections.business_day') }}
    where
        {{ near_touched_days('connections.business_day', 291, 133) }}
        and connections.connected_at is not null and connections.promised_on is not null
),

repairs as (
    select
        tickets.branch_id,
        tickets.is_within_target as is_kept,
        {{ local_date('tickets.solved_at', zone_of('branches')) }} as business_day
    from {{ ref('fct_tickets') }} as tickets
    left join {{ ref('int_branches') }} as branches
        on tickets.branch_id = branches.branch_id and {{ holds_on('branches', 'tickets.business_day') }}
    where
        {{ near_touched_days('tickets.business_day', 291, 133) }}
        and tickets.kind = 'fault' and coalesce(tickets.is_valid_fault, true)
        and tickets.solved_at is not null and tickets.due_at is not null
),

connected as (
    {{ by_branch_and_all('connections', 'is_kept') }}
),

repaired as (
    {{ by_branch_and_all('repairs', 'is_kept') }}
)

{{ review_measure('connected', 'kpi', "'connections_on_promise'", 'rate', 'low', 'count(*)', count_if('is_kept')) }}
union all
{{ review_measure('repaired', 'kpi', "'repairs_within_target'", 'rate', 'low', 'count(*)', count_if('is_kept')) }}
