-- Which event belongs to which queue visit. A visit is numbered by its entry among those of the same call and queue.
with
events as (
    select * from {{ ref('int_queue_events') }}
    where is_call and role in ('enter', 'connect', 'end_talk', 'end_wait', 'lost', 'ring_no_answer')
),

entries_counted as (
    select
        *,
        sum(case when role = 'enter' then 1 else 0 end) over (
            partition by server_id, callid, queue
            order by log_seq, file_id, line_no
            rows between unbounded preceding and current row
        ) as entries_so_far
    from events
),

-- The end of a talk belongs to the visit answered last: after a transfer into the same queue the caller's next
-- entry can be logged before the transfer.
numbered as (
    select
        *,
        case
            when role = 'end_talk'
                then coalesce(
                    max(case when role = 'connect' then entries_so_far end) over (
                        partition by server_id, callid, queue
                        order by log_seq, file_id, line_no
                        rows between unbounded preceding and current row
                    ),
                    entries_so_far
                )
            else entries_so_far
        end as visit_no
    from entries_counted
),

counted as (
    select
        *,
        count(case when role in ('end_talk', 'end_wait') then 1 end) over before_it as ends_before,
        count(case when role = 'connect' then 1 end) over before_it as connects_before
    from numbered
    window before_it as (
        partition by server_id, callid, queue, visit_no
        order by log_seq, file_id, line_no
        rows between unbounded preceding and 1 preceding
    )
),

judged as (
    select
        *,
        visit_no > 0
        and (
            role in ('enter', 'lost', 'ring_no_answer')
            or ends_before = 0 and (role <> 'connect' or connects_before = 0)
        ) as has_visit
    from counted
),

relinks as (
    {{ relinked_events('judged') }}
)

select
    judged.server_id,
    judged.file_id,
    judged.line_no,
    judged.log_seq,
    judged.event_at,
    judged.callid as logged_callid,
    coalesce(relinks.visit_callid, judged.callid) as callid,
    judged.queue,
    cast(coalesce(relinks.visit_no, judged.visit_no) as bigint) as visit_no,
    relinks.visit_callid is not null as is_relinked,
    judged.agent,
    judged.event,
    judged.role,
    judged.outcome,
    judged.hung_up_by,
    judged.transfer_kind,
    judged.caller_hash,
    judged.params,
    judged.hold_seconds,
    judged.talk_seconds,
    judged.ring_time
from judged
left join relinks
    on
        judged.server_id = relinks.server_id
        and judged.file_id = relinks.file_id
        and judged.line_no = relinks.line_no
where judged.has_visit or relinks.visit_callid is not null
