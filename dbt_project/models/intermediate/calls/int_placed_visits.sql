{{
    config(indexes=[
        {'columns': ['contact_id']},
        {'columns': ['queue_visit_id']},
        {'columns': ['contact_caller_hash', 'talk_ended_at']}
    ])
}}
-- Grain: queue visit (server, call, queue, number of the visit): with its contact, operator, queue limits, branch and
-- business day.
with
visits as (
    select
        visits.*,
        links.root_id,
        {{ local_date('visits.entered_at', default_zone()) }} as day
    from {{ ref('int_visits') }} as visits
    inner join {{ ref('int_call_links') }} as links
        on visits.server_id = links.server_id and visits.callid = links.call_id
),

settings as (
    {{ queue_settings_of('visits', ['server_id', 'callid', 'queue', 'visit_no'], 'queue', 'entered_at') }}
),

-- The agent's name holds on the day of the event that names him.
operators as (
    select
        visits.*,
        agents.operator_id,
        operator_branches.branch_id as operator_branch_id
    from visits
    left join {{ ref('int_agent_days') }} as agents
        on
            visits.server_id = agents.server_id
            and visits.agent = agents.agent
            and {{ local_date('visits.agent_at', default_zone()) }} = agents.day
    left join {{ ref('int_operator_branches') }} as operator_branches
        on agents.operator_id = operator_branches.operator_id and {{ holds_on('operator_branches', 'visits.day') }}
),

placed as (
    select
        operators.*,
        calls.contact_id,
        calls.subscriber_id,
        calls.caller_hash as contact_caller_hash,
        calls.technology,
        settings.topic_class,
        cast(coalesce(settings.service_level_seconds, {{ var('service_level_seconds') }}) as bigint)
            as service_level_seconds,
        cast(coalesce(settings.short_abandon_seconds, {{ var('short_abandon_seconds') }}) as bigint)
            as short_abandon_seconds,
        coalesce(
            settings.branch_id, calls.subscriber_branch_id, operators.operator_branch_id, {{ default_branch() }}
        ) as branch_id,
        row_number() over (
            partition by calls.contact_id
            order by operators.entered_at, operators.enter_seq, operators.callid
        ) as visit_order
    from operators
    inner join {{ ref('int_calls') }} as calls
        on operators.server_id = calls.server_id and operators.root_id = calls.root_id
    left join settings
        on
            operators.server_id = settings.server_id
            and operators.callid = settings.callid
            and operators.queue = settings.queue
            and operators.visit_no = settings.visit_no
)

select
    placed.*,
    coalesce(placed.ended_at, placed.answered_at) as talk_ended_at,
    placed.server_id || '|' || placed.callid || '|' || placed.queue || '|' || placed.visit_no as queue_visit_id,
    {{ local_date('placed.entered_at', zone_of('branches')) }} as business_day
from placed
left join {{ ref('int_branches') }} as branches
    on placed.branch_id = branches.branch_id and {{ holds_on('branches', 'placed.day') }}
