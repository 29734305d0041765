{{ config(pre_hook="{{ days_by_bitmaps() }}") }}
-- Which call ids of the touched days hang together, one row per call id and group that something logged puts it in: its
-- linkedid, itself, or the call it was linked to afterwards.
with
records as (
    select
        server_id,
        uniqueid,
        coalesce(nullif(linkedid, ''), uniqueid) as linkedid,
        lastapp
    from {{ ref('stg_telephony__cdr') }}
    where {{ touched_range('start_at', 1, 3) }} and uniqueid is not null
),

-- An agent's standing channel would tie all calls of his shift into one.
standing as (
    select distinct
        server_id,
        uniqueid
    from records
    where lastapp = 'AgentLogin'
),

calls as (
    select distinct
        server_id,
        callid
    from {{ ref('int_queue_events') }}
    where is_call
),

relinked as (
    select distinct
        server_id,
        logged_callid,
        callid
    from {{ ref('int_visit_events') }}
    where is_relinked
)

select
    records.server_id,
    records.uniqueid as call_id,
    case when standing.uniqueid is null then records.linkedid else records.uniqueid end as group_id
from records
left join standing on records.server_id = standing.server_id and records.linkedid = standing.uniqueid
union
select
    server_id,
    linkedid as call_id,
    linkedid as group_id
from records
union
select
    server_id,
    callid as call_id,
    callid as group_id
from calls
union
select
    server_id,
    logged_callid as call_id,
    callid as group_id
from relinked
