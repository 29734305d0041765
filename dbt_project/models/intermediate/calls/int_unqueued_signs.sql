{{
    config(
        indexes=[{'columns': ['server_id', 'root_id']}],
        pre_hook=["{{ hashed_joins() }}", "{{ days_by_bitmaps() }}"]
    )
}}
-- Grain: sign of a call around the touched days that never entered a queue: one of its call records, or an event that
-- the dialplan wrote into the queue log when a queue turned it away.
with
links as (
    select * from {{ ref('int_call_links') }}
),

events as (
    select
        events.*,
        links.root_id
    from {{ ref('int_queue_events') }} as events
    inner join links on events.server_id = links.server_id and events.callid = links.call_id
    where events.is_call
),

queued as (
    select distinct
        server_id,
        root_id
    from events
    where role in ('enter', 'connect', 'end_talk', 'end_wait', 'lost', 'ring_no_answer')
),

signs as (
    select
        cdr.server_id,
        links.root_id,
        cdr.start_at,
        coalesce(cdr.end_at, cdr.start_at) as end_at,
        cdr.log_seq,
        cdr.src_hash as caller_hash,
        case when cdr.lastapp = 'Queue' then nullif(split_part(cdr.lastdata, ',', 1), '') end as queue,
        {{ is_turned_away('cdr.userfield', 'cdr.lastapp') }} as is_turned_away,
        coalesce(apps.use is not null or cdr.dstchannel <> '', false) as is_put_through,
        cdr.disposition = 'ANSWERED' as is_in_menu,
        {{ is_one_of('cdr.dcontext', var('inbound_contexts')) if var('inbound_contexts') else 'true' }} as is_inbound
    from {{ ref('stg_telephony__cdr') }} as cdr
    inner join links on cdr.server_id = links.server_id and cdr.uniqueid = links.call_id
    left join {{ ref('cdr_apps') }} as apps on cdr.lastapp = apps.app
    where {{ touched_range('cdr.start_at', 1, 3) }}
    union all
    select
        server_id,
        root_id,
        event_at as start_at,
        event_at as end_at,
        log_seq,
        caller_hash,
        nullif(queue, 'NONE') as queue,
        true as is_turned_away,
        false as is_put_through,
        true as is_in_menu,
        true as is_inbound
    from events
    where role = 'turned_away'
)

select signs.*
from signs
left join queued on signs.server_id = queued.server_id and signs.root_id = queued.root_id
where queued.root_id is null
