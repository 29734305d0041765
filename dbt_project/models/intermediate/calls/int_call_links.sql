{{ config(indexes=[{'columns': ['server_id', 'call_id']}]) }}
-- Every call id of the touched days and the oldest call it hangs together with: legs share a linkedid, and a record
-- written before two calls were bridged keeps the old one, so links are followed three times over.
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
),

pairs as (
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
),

aged_0 as (
    select
        server_id,
        call_id,
        group_id,
        {{ call_age('group_id') }} as age
    from pairs
),

{% for round in range(1, 4) %}
    grouped_{{ round }} as (
        select
            server_id,
            call_id,
            group_id,
            min(age) over (partition by server_id, group_id) as age
        from aged_{{ round - 1 }}
    ),

    aged_{{ round }} as (
        select
            server_id,
            call_id,
            group_id,
            min(age) over (partition by server_id, call_id) as age
        from grouped_{{ round }}
    ),

{% endfor %}
rooted as (
    select distinct
        server_id,
        call_id,
        age
    from aged_3
)

select
    server_id,
    call_id,
    {{ call_of_age('age') }} as root_id
from rooted
