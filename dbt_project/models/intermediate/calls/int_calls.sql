{{ config(indexes=[{'columns': ['server_id', 'root_id']}], pre_hook="{{ hashed_joins() }}") }}
-- Every call of a subscriber around the touched days: when it began, who called, and the line he had then.
with
links as (
    select * from {{ ref('int_call_links') }}
),

visits as (
    select
        visits.*,
        links.root_id
    from {{ ref('int_visits') }} as visits
    inner join links on visits.server_id = links.server_id and visits.callid = links.call_id
),

callers as (
    select
        *,
        row_number() over (
            partition by server_id, root_id
            order by caller_hash is null, entered_at, enter_seq
        ) as caller_rank
    from visits
),

calls as (
    select
        server_id,
        root_id,
        min(entered_at) as started_at,
        max(case when caller_rank = 1 then caller_hash end) as caller_hash
    from callers
    group by server_id, root_id
    union all
    select
        server_id,
        root_id,
        started_at,
        caller_hash
    from {{ ref('int_unqueued_calls') }}
),

-- Two subscribers can share a number: the one with a line on that day, then the one who came last.
subscribers as (
    select
        calls.server_id,
        calls.root_id,
        versions.subscriber_id,
        versions.branch_id,
        versions.technology,
        row_number() over (
            partition by calls.server_id, calls.root_id
            order by
                coalesce(versions.connected_on > calls.day, false),
                coalesce(versions.left_on <= calls.day, false),
                versions.connected_on desc nulls last,
                versions.subscriber_id
        ) as subscriber_rank
    from (
        select
            *,
            {{ local_date('started_at', default_zone()) }} as day
        from calls
    ) as calls
    inner join {{ ref('int_subscriber_versions') }} as versions
        on calls.caller_hash = versions.phone_hash and {{ holds_on('versions', 'calls.started_at') }}
)

select
    calls.server_id,
    calls.root_id,
    'call:' || calls.server_id || ':' || calls.root_id as contact_id,
    calls.started_at,
    calls.caller_hash,
    subscribers.subscriber_id,
    subscribers.branch_id as subscriber_branch_id,
    subscribers.technology
from calls
left join subscribers
    on
        calls.server_id = subscribers.server_id
        and calls.root_id = subscribers.root_id
        and subscribers.subscriber_rank = 1
