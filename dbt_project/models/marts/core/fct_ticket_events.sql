{{ config(
    materialized='incremental', incremental_strategy='replace_days', pre_hook="{{ days_by_bitmaps(or_whole=true) }}"
) }}
with
happened as (
    select
        *,
        {{ local_date('event_at', default_zone()) }} as day
    from {{ ref('stg_crm__ticket_events') }}
    where {{ touched_range('event_at', 0, 0) }}
),

-- Each ticket is looked up once, however long ago it was opened.
named as (
    select distinct ticket_id from happened
),

tickets as (
    select
        named.ticket_id,
        coalesce(known.branch_id, noted.branch_id) as branch_id,
        known.topic_id
    from named
    left join {{ ref('fct_tickets') }} as known on named.ticket_id = known.ticket_id
    left join {{ ref('stg_crm__tickets') }} as noted on named.ticket_id = noted.ticket_id
),

events as (
    select
        happened.*,
        coalesce(tickets.branch_id, {{ default_branch() }}) as branch_id,
        coalesce(tickets.topic_id, 'unmapped') as topic_id
    from happened
    left join tickets on happened.ticket_id = tickets.ticket_id
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
