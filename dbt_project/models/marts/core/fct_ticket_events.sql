{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
events as (
    select
        events.*,
        coalesce(known.branch_id, tickets.branch_id, {{ default_branch() }}) as branch_id,
        coalesce(known.topic_id, 'unmapped') as topic_id,
        {{ local_date('events.event_at', default_zone()) }} as day
    from {{ ref('stg_crm__ticket_events') }} as events
    left join {{ ref('fct_tickets') }} as known on events.ticket_id = known.ticket_id
    left join {{ ref('stg_crm__tickets') }} as tickets on events.ticket_id = tickets.ticket_id
    where {{ touched_range('events.event_at', 0, 0) }}
),

dated as (
    select
        events.*,
        {{ local_date('events.event_at', zone_of('branches')) }} as business_day
    from events
    left join {{ ref('int_branches') }} as branches
        on events.branch_id = branches.branch_id and {{ holds_on('branches', 'events.day') }}
)

select
    ticket_event_id,
    ticket_id,
    event,
    operator_id,
    branch_id,
    topic_id,
    event_at,
    business_day
from dated
where {{ in_touched_days('business_day') }}
