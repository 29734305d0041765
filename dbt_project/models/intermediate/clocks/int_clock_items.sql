-- Grain: clock x order, fault or complaint around the touched days: when it began and was done, and what the CRM says
-- of it. A ticket that is open again is not done. Whether a target was kept is told when it has passed, not before:
-- what is done early would else stand for what is still to come.
with
orders as (
    select
        'supply_time' as clock,
        connection_id as item_id,
        cast(null as {{ dbt.type_string() }}) as subscriber_id,
        branch_id,
        technology,
        ordered_at as started_at,
        connected_at as finished_at,
        cancelled_at is not null and connected_at is null as is_excluded,
        true as is_judged,
        case
            when promised_on <= {{ as_of_day() }} and promised_on <= {{ add_days('business_day', followed_days()) }}
                then coalesce(is_on_promise, false)
        end as is_within_target,
        business_day
    from {{ ref('fct_connections') }}
    where {{ near_touched_days('business_day', 155, 31) }}
),

tickets as (
    select
        *,
        case when status = 'open' then null else solved_at end as finished_at,
        kind = 'complaint'
        or is_valid_fault is not null
        or (coalesce(status, '') <> 'open' and solved_at is not null) as is_judged
    from {{ ref('fct_tickets') }}
    where kind in ('fault', 'complaint') and {{ near_touched_days('business_day', 155, 155) }}
)

-- A fault that nobody has judged yet is not found invalid, and can be in either part of the network.
select * from orders
{% for clock, condition in [
    ('complaint_resolution', "kind = 'complaint'"),
    ('fault_repair_all', "kind = 'fault'"),
    ('fault_repair_access', "kind = 'fault' and coalesce(fault_part = 'access', finished_at is null)"),
    ('fault_repair_other', "kind = 'fault' and coalesce(fault_part = 'other', finished_at is null)"),
] -%}
    union all
    select
        '{{ clock }}' as clock,
        ticket_id as item_id,
        subscriber_id,
        branch_id,
        technology,
        opened_at as started_at,
        finished_at,
        coalesce(not is_valid_fault, false) or (status in ('solved', 'closed') and finished_at is null)
            as is_excluded,
        is_judged,
        case
            when
                due_at <= {{ data_until() }}
                and due_at <= {{ add_seconds('opened_at', followed_days() ~ ' * 86400') }}
                then coalesce(finished_at <= due_at, false)
        end as is_within_target,
        business_day
    from tickets
    where {{ condition }}
{% endfor %}
