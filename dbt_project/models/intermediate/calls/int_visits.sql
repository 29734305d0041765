-- Grain: queue visit (server, call, queue, number of the visit): how it went, by the log's own figures.
with
gathered as (
    select * from {{ ref('int_gathered_visits') }}
),

-- A restart ends what was still open, within three days: such a visit never gets an end of its own.
restarts as (
    select
        gathered.server_id,
        gathered.callid,
        gathered.queue,
        gathered.visit_no,
        min(starts.event_at) as restarted_at
    from gathered
    inner join {{ ref('int_queue_events') }} as starts
        on
            gathered.server_id = starts.server_id and starts.role = 'restart' and gathered.enter_seq < starts.log_seq
            and {{ add_seconds('gathered.entered_at', 3 * 86400) }} >= starts.event_at
    where gathered.closed_at is null and (gathered.lost_at is null or gathered.connected_at is not null)
    group by gathered.server_id, gathered.callid, gathered.queue, gathered.visit_no
),

judged as (
    select
        gathered.*,
        restarts.restarted_at,
        case
            when connected_at is not null or end_role = 'end_talk' then 'answered'
            when closed_at is not null then closing_outcome
            when lost_at is not null then 'failed'
            when restarts.restarted_at is not null then 'interrupted'
            else 'open'
        end as outcome,
        coalesce(connected_at, {{ add_seconds('closed_at', '-1 * end_talk') }}) as answered_at,
        coalesce(closed_at, case when connected_at is null then lost_at end, restarts.restarted_at) as ended_at
    from gathered
    left join restarts
        on
            gathered.server_id = restarts.server_id
            and gathered.callid = restarts.callid
            and gathered.queue = restarts.queue
            and gathered.visit_no = restarts.visit_no
)

select
    server_id,
    callid,
    queue,
    visit_no,
    enter_seq,
    caller_hash,
    coalesce(connect_agent, end_agent) as agent,
    case when connect_agent is null then closed_at else connected_at end as agent_at,
    entered_at,
    answered_at,
    ended_at,
    outcome,
    coalesce(
        closing_event,
        case when connected_at is null then lost_event end,
        case when restarted_at is not null then 'QUEUESTART' end
    ) as end_event,
    case
        when outcome = 'answered'
            then coalesce(connect_hold, end_hold, {{ whole_seconds('entered_at', 'answered_at') }})
        when outcome not in ('interrupted', 'open')
            then coalesce(end_hold, {{ whole_seconds('entered_at', 'ended_at') }})
    end as wait_seconds,
    case when outcome = 'answered' then ring_seconds end as ring_seconds,
    case
        when outcome = 'answered' and closed_at is not null
            then coalesce(end_talk, {{ whole_seconds('answered_at', 'closed_at') }})
    end as talk_seconds,
    hung_up_by,
    transfer_kind,
    transfer_to,
    exit_key,
    ring_no_answer_count,
    is_relinked
from judged
