{{
    config(
        indexes=[{'columns': ['server_id', 'callid', 'queue']}],
        pre_hook=["{{ hashed_joins() }}", "{{ days_by_bitmaps() }}"]
    )
}}
-- The queue log around the touched days, with each verb's meaning and its parameters as numbers.
with
log as (
    select * from {{ ref('stg_telephony__queue_log') }}
    where {{ touched_range('event_at', 1, 3) }}
),

verbs as (
    select * from {{ ref('queue_log_verbs') }}
)

select
    log.server_id,
    log.file_id,
    log.line_no,
    log.log_seq,
    log.event_at,
    log.callid,
    log.callid not in ('', 'NONE', 'MANAGER', 'REALTIME', 'CLI') as is_call,
    log.queue,
    nullif(nullif(log.agent, 'NONE'), '') as agent,
    log.event,
    coalesce(verbs.role, 'unknown') as role,
    verbs.outcome,
    verbs.hung_up_by,
    verbs.transfer_kind,
    log.caller_hash,
    log.params,
    {{ whole_number(bar_field('log.params', 'nullif(verbs.hold_field, 0)')) }} as hold_seconds,
    {{ whole_number(bar_field('log.params', 'nullif(verbs.talk_field, 0)')) }} as talk_seconds,
    {{ whole_number(bar_field('log.params', 'nullif(verbs.ring_field, 0)')) }} as ring_time
from log
left join verbs on log.event = verbs.event
