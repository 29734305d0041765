{#-
Answers and ends that were logged under another call id than the entry: an attended transfer into a queue swaps the
channels. The entry they belong to follows from their own figures, within a second: entered = event - talk - wait.
Only a visit of the same queue that has no end of its own can be meant.
`judged`: CTE of events with has_visit. Gives server_id, file_id, line_no -> visit_callid, visit_no.
-#}
{% macro relinked_events(judged) -%}
select
        server_id,
        file_id,
        line_no,
        visit_callid,
        visit_no
    from (
        select
            candidates.*,
            row_number() over (
                partition by server_id, file_id, line_no
                order by off_seconds, visit_seq, visit_callid
            ) as visit_rank,
            row_number() over (
                partition by server_id, visit_callid, queue, visit_no, part
                order by off_seconds, log_seq, line_no
            ) as event_rank
        from (
            select
                spare.server_id,
                spare.file_id,
                spare.line_no,
                spare.log_seq,
                spare.queue,
                case when spare.role = 'connect' then 'connect' else 'end' end as part,
                visit.callid as visit_callid,
                visit.visit_no,
                visit.log_seq as visit_seq,
                abs({{ seconds_between('visit.event_at', 'spare.event_at') }}
                    - spare.hold_seconds - coalesce(spare.talk_seconds, 0)) as off_seconds
            from (
                select * from {{ judged }}
                where
                    not has_visit
                    and (role in ('connect', 'end_wait') or (role = 'end_talk' and talk_seconds is not null))
                    and hold_seconds is not null
            ) as spare
            inner join (
                select
                    server_id,
                    callid,
                    queue,
                    visit_no,
                    min(case when role = 'enter' then event_at end) as event_at,
                    min(case when role = 'enter' then log_seq end) as log_seq,
                    count(case when role = 'connect' then 1 end) as connects
                from {{ judged }}
                where has_visit
                group by server_id, callid, queue, visit_no
                having count(case when role in ('end_talk', 'end_wait') then 1 end) = 0
            ) as visit
                on
                    spare.server_id = visit.server_id
                    and spare.queue = visit.queue
                    and spare.log_seq > visit.log_seq
                    and (spare.role = 'end_talk' or visit.connects = 0)
        ) as candidates
        where off_seconds <= 1
    ) as ranked
    where visit_rank = 1 and event_rank = 1
{%- endmacro %}
