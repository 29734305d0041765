{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
events as (
    select
        server_id,
        file_id,
        line_no,
        event,
        role,
        agent,
        case when is_call then callid end as call_id,
        event_at,
        {{ local_date('event_at', default_zone()) }} as business_day
    from {{ ref('int_queue_events') }}
),

visit_events as (
    select
        server_id,
        file_id,
        line_no,
        callid,
        queue,
        visit_no,
        row_number() over (
            partition by server_id, callid, queue, visit_no, role
            order by event_at desc, log_seq desc
        ) as last_rank
    from {{ ref('int_visit_events') }}
),

visits as (
    select * from {{ ref('int_visits') }}
),

turned_away as (
    select
        links.server_id,
        links.call_id
    from {{ ref('int_unqueued_calls') }} as calls
    inner join {{ ref('int_call_links') }} as links
        on calls.server_id = links.server_id and calls.root_id = links.root_id
),

-- A restart is a fact where it closed a visit.
restarts as (
    select distinct
        server_id,
        ended_at
    from {{ ref('int_visits') }}
    where end_event = 'QUEUESTART'
),

judged as (
    select
        events.business_day,
        events.server_id,
        events.event,
        case
            when events.role in ('enter', 'connect', 'end_talk', 'end_wait') then visit_events.line_no is not null
            when events.role = 'lost' then visits.outcome = 'failed' and visit_events.last_rank = 1
            when events.role = 'turned_away' then turned_away.call_id is not null
            when events.role = 'restart' then restarts.server_id is not null
            when events.role in ('unknown', 'note') then false
            else events.agent is not null
        end as is_in_fact
    from events
    left join visit_events
        on
            events.server_id = visit_events.server_id
            and events.file_id = visit_events.file_id
            and events.line_no = visit_events.line_no
    left join visits
        on
            visit_events.server_id = visits.server_id
            and visit_events.callid = visits.callid
            and visit_events.queue = visits.queue
            and visit_events.visit_no = visits.visit_no
    left join turned_away
        on events.server_id = turned_away.server_id and events.call_id = turned_away.call_id
    left join restarts
        on events.server_id = restarts.server_id and events.event_at = restarts.ended_at
    where {{ in_touched_days('events.business_day') }}
)

select
    server_id,
    event,
    count(*) - count(*) filter (where is_in_fact) as events,
    count(*) as events_logged,
    count(*) filter (where is_in_fact) as events_in_facts,
    business_day
from judged
group by server_id, event, business_day
