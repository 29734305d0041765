-- Calls from outside that never entered a queue: turned away by one (full, empty, closed) or gone in the menu before.
-- They leave call records only, or an event that the dialplan wrote into the queue log.
with
links as (
    select * from {{ ref('int_call_links') }}
),

queued as (
    select distinct
        events.server_id,
        links.root_id
    from {{ ref('int_queue_events') }} as events
    inner join links on events.server_id = links.server_id and events.callid = links.call_id
    where
        events.is_call
        and events.role in ('enter', 'connect', 'end_talk', 'end_wait', 'lost', 'ring_no_answer')
),

records as (
    select
        links.root_id,
        cdr.*,
        apps.use as app_use
    from {{ ref('stg_telephony__cdr') }} as cdr
    inner join links on cdr.server_id = links.server_id and cdr.uniqueid = links.call_id
    left join {{ ref('cdr_apps') }} as apps on cdr.lastapp = apps.app
    where {{ touched_range('cdr.start_at', 1, 3) }}
),

signs as (
    select
        server_id,
        root_id,
        start_at,
        coalesce(end_at, start_at) as end_at,
        log_seq,
        src_hash as caller_hash,
        case when lastapp = 'Queue' then nullif(split_part(lastdata, ',', 1), '') end as queue,
        {{ is_turned_away('userfield', 'lastapp') }} as is_turned_away,
        coalesce(app_use is not null or dstchannel <> '', false) as is_put_through,
        disposition = 'ANSWERED' as is_in_menu,
        {{ is_one_of('dcontext', var('inbound_contexts')) if var('inbound_contexts') else 'true' }} as is_inbound
    from records
    union all
    select
        events.server_id,
        links.root_id,
        events.event_at as start_at,
        events.event_at as end_at,
        events.log_seq,
        events.caller_hash,
        nullif(events.queue, 'NONE') as queue,
        true as is_turned_away,
        false as is_put_through,
        true as is_in_menu,
        true as is_inbound
    from {{ ref('int_queue_events') }} as events
    inner join links on events.server_id = links.server_id and events.callid = links.call_id
    where events.is_call and events.role = 'turned_away'
),

ordered as (
    select
        signs.*,
        row_number() over (
            partition by signs.server_id, signs.root_id
            order by signs.caller_hash is null, signs.start_at, signs.log_seq
        ) as caller_rank,
        row_number() over (
            partition by signs.server_id, signs.root_id
            order by
                signs.is_turned_away and signs.queue is not null desc,
                signs.queue is null,
                signs.start_at,
                signs.log_seq
        ) as queue_rank
    from signs
    left join queued on signs.server_id = queued.server_id and signs.root_id = queued.root_id
    where queued.root_id is null
),

summed as (
    select
        server_id,
        root_id,
        min(start_at) as started_at,
        max(end_at) as ended_at,
        max(case when caller_rank = 1 then caller_hash end) as caller_hash,
        max(case when queue_rank = 1 then queue end) as first_queue,
        bool_or(is_turned_away) as is_turned_away,
        bool_or(is_put_through) as is_put_through,
        bool_or(is_in_menu) as is_in_menu,
        bool_or(is_inbound) as is_inbound
    from ordered
    group by server_id, root_id
)

select
    server_id,
    root_id,
    started_at,
    ended_at,
    caller_hash,
    first_queue,
    case when is_turned_away then 'turned_away' else 'left_in_menu' end as outcome
from summed
where is_inbound and (is_turned_away or (is_in_menu and not is_put_through))
