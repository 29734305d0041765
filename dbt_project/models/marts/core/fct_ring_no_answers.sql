{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
rings as (
    select
        events.*,
        visits.queue_visit_id,
        visits.business_day as visit_day,
        agents.operator_id,
        coalesce(operator_branches.branch_id, {{ default_branch() }}) as branch_id
    from {{ ref('int_queue_events') }} as events
    inner join {{ ref('int_agent_days') }} as agents
        on
            events.server_id = agents.server_id
            and events.agent = agents.agent
            and {{ local_date('events.event_at', default_zone()) }} = agents.day
    left join {{ ref('int_operator_branches') }} as operator_branches
        on agents.operator_id = operator_branches.operator_id and {{ holds_on('operator_branches', 'agents.day') }}
    left join {{ ref('int_visit_events') }} as visit_events
        on
            events.server_id = visit_events.server_id
            and events.file_id = visit_events.file_id
            and events.line_no = visit_events.line_no
    left join {{ ref('int_placed_visits') }} as visits
        on
            visit_events.server_id = visits.server_id
            and visit_events.callid = visits.callid
            and visit_events.queue = visits.queue
            and visit_events.visit_no = visits.visit_no
    where events.role = 'ring_no_answer'
),

dated as (
    select
        rings.*,
        coalesce(rings.visit_day, {{ local_date('rings.event_at', zone_of('branches')) }}) as business_day
    from rings
    left join {{ ref('int_branches') }} as branches
        on
            rings.branch_id = branches.branch_id
            and {{ holds_on('branches', local_date('rings.event_at', default_zone())) }}
)

select
    server_id || '|' || file_id || '|' || line_no as ring_no_answer_id,
    queue_visit_id,
    server_id,
    queue,
    operator_id,
    branch_id,
    ring_time as rang_ms,
    event_at as rang_at,
    business_day
from dated
where {{ in_touched_days('business_day') }}
