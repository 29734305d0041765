{{ config(
    materialized='incremental', incremental_strategy='replace_days', pre_hook="{{ days_by_bitmaps(or_whole=true) }}"
) }}
with
orders as (
    select
        connections.*,
        coalesce(connections.branch_id, subscribers.branch_id, {{ default_branch() }}) as placed_branch_id,
        {{ local_date('connections.ordered_at', default_zone()) }} as day
    from {{ ref('stg_crm__connections') }} as connections
    left join {{ ref('int_subscriber_versions') }} as subscribers
        on
            connections.subscriber_id = subscribers.subscriber_id
            and {{ holds_on('subscribers', 'connections.ordered_at') }}
    where {{ touched_range('connections.ordered_at', 0, 0) }}
),

dated as (
    select
        orders.*,
        {{ local_date('orders.ordered_at', zone_of('branches')) }} as business_day,
        {{ local_date('orders.connected_at', zone_of('branches')) }} as connected_on,
        {{ local_date(data_until(), zone_of('branches')) }} as today
    from orders
    left join {{ ref('int_branches') }} as branches
        on orders.placed_branch_id = branches.branch_id and {{ holds_on('branches', 'orders.day') }}
)

select
    connection_id,
    subscriber_id,
    placed_branch_id as branch_id,
    technology,
    ordered_at,
    promised_on,
    connected_at,
    cancelled_at,
    {{ as_decimal(seconds_between('ordered_at', 'connected_at') ~ ' / 86400') }} as supply_days,
    case
        when connected_at is not null then connected_on <= promised_on
        when cancelled_at is null and promised_on < today then false
    end as is_on_promise,
    business_day
from dated
where {{ in_touched_days('business_day') }}
