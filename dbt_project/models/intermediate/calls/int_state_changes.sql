-- Begin and end of pauses and logins as logged, one row per operator, PBX, queue and change.
with
events as (
    select
        events.*,
        agents.operator_id
    from {{ ref('int_queue_events') }} as events
    inner join {{ ref('int_agent_days') }} as agents
        on
            events.server_id = agents.server_id
            and events.agent = agents.agent
            and {{ local_date('events.event_at', default_zone()) }} = agents.day
    where
        events.role in (
            'pause', 'unpause', 'pause_all', 'unpause_all', 'login', 'logout', 'login_all', 'logout_all'
        )
),

-- PAUSEALL is followed by a PAUSE for every queue of the operator; where it is, those say it all, and each queue's
-- end is known. It stands for itself only when no such line follows.
pauses as (
    select
        *,
        min(case when role = 'pause' then event_at end) over (
            partition by server_id, operator_id
            order by event_at desc
        ) as next_pause_at
    from events
    where role in ('pause', 'pause_all')
),

paused_by_queue as (
    select distinct
        server_id,
        file_id,
        line_no
    from pauses
    where role = 'pause_all' and next_pause_at <= {{ add_seconds('event_at', 2) }}
),

begins_and_ends as (
    {{ state_change('pause', "role = 'pause'", 'queue', true) }}
    union all
    {{ state_change('pause', "role = 'pause_all' and not is_by_queue", "'*'", true) }}
    union all
    {{ state_change('pause', "role = 'login' and upper(params) = 'PAUSED'", 'queue', true) }}
    union all
    {{ state_change('pause', "role in ('unpause', 'logout')", 'queue', false) }}
    union all
    {{ state_change('pause', "role in ('unpause_all', 'logout_all')", 'null', false) }}
    union all
    {{ state_change('login', "role = 'login'", 'queue', true) }}
    union all
    {{ state_change('login', "role = 'login_all'", "'*'", true) }}
    union all
    {{ state_change('login', "role = 'logout'", 'queue', false) }}
    union all
    {{ state_change('login', "role = 'logout_all'", "'*'", false) }}
),

queues as (
    select distinct
        operator_id,
        server_id,
        state,
        queue
    from begins_and_ends
    where is_begin
)

-- UNPAUSEALL ends the pause in every queue, whether or not a PAUSEALL came before it.
select
    changes.operator_id,
    changes.server_id,
    changes.state,
    queues.queue,
    changes.is_begin,
    changes.reason,
    changes.event_at,
    changes.log_seq
from begins_and_ends as changes
inner join queues
    on
        changes.operator_id = queues.operator_id
        and changes.server_id = queues.server_id
        and changes.state = queues.state
        and (changes.queue is null or changes.queue = queues.queue)
