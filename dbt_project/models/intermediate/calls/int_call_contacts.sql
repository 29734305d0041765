{{ config(indexes=[{'columns': ['contact_id']}, {'columns': ['server_id', 'root_id']}]) }}
-- One row per call around the touched days: the sum of its queue visits, or how it ended without any.
with
visits as (
    select
        *,
        min(case when outcome = 'answered' then visit_order end) over (partition by contact_id) as first_answer,
        max(case when outcome = 'answered' then visit_order end) over (partition by contact_id) as last_answer,
        max(visit_order) over (partition by contact_id) as last_visit
    from {{ ref('int_placed_visits') }}
),

visited as (
    select
        contact_id,
        server_id,
        root_id,
        min(entered_at) as started_at,
        case when bool_and(ended_at is not null) then max(ended_at) end as ended_at,
        max(case when visit_order = 1 then branch_id end) as branch_id,
        max(case when visit_order = 1 then queue end) as first_queue,
        max(case when visit_order = 1 then topic_class end) as queue_class,
        min(business_day) filter (where visit_order = 1) as business_day,
        count(*) as queue_visits,
        max(case when visit_order = coalesce(last_answer, last_visit) then outcome end) as outcome,
        max(case when visit_order = first_answer then operator_id end) as first_operator_id,
        max(case when visit_order = last_answer then operator_id end) as last_operator_id,
        count(distinct operator_id) as operators,
        cast(sum(wait_seconds) filter (where visit_order <= coalesce(first_answer, last_visit)) as bigint)
            as wait_seconds,
        cast(sum(ring_seconds) as bigint) as ring_seconds,
        cast(sum(talk_seconds) as bigint) as talk_seconds,
        count(transfer_kind) as transfers,
        max(case when visit_order = last_answer then hung_up_by end) as hung_up_by
    from visits
    group by contact_id, server_id, root_id
),

unqueued as (
    select
        calls.*,
        {{ local_date('calls.started_at', default_zone()) }} as day,
        settings.topic_class,
        settings.branch_id as queue_branch_id,
        row_number() over (
            partition by calls.server_id, calls.root_id
            order by case when settings.server_id = '*' then 1 else 0 end, settings.valid_from_at desc nulls last
        ) as setting_rank
    from {{ ref('int_unqueued_calls') }} as calls
    left join {{ ref('int_queue_settings') }} as settings
        on
            calls.first_queue = settings.queue
            and settings.server_id in (calls.server_id, '*')
            and calls.started_at >= settings.valid_from_at
            and (settings.valid_to_at is null or calls.started_at < settings.valid_to_at)
),

unqueued_placed as (
    select
        unqueued.*,
        coalesce(
            unqueued.queue_branch_id, calls.subscriber_branch_id, {{ default_branch() }}
        ) as branch_id
    from unqueued
    inner join {{ ref('int_calls') }} as calls
        on unqueued.server_id = calls.server_id and unqueued.root_id = calls.root_id
    where unqueued.setting_rank = 1
),

called as (
    select * from visited
    union all
    select
        'call:' || placed.server_id || ':' || placed.root_id as contact_id,
        placed.server_id,
        placed.root_id,
        placed.started_at,
        placed.ended_at,
        placed.branch_id,
        placed.first_queue,
        placed.topic_class as queue_class,
        {{ local_date('placed.started_at', zone_of('branches')) }}
            as business_day,
        0 as queue_visits,
        placed.outcome,
        null as first_operator_id,
        null as last_operator_id,
        0 as operators,
        null as wait_seconds,
        null as ring_seconds,
        null as talk_seconds,
        0 as transfers,
        null as hung_up_by
    from unqueued_placed as placed
    left join {{ ref('int_branches') }} as branches
        on placed.branch_id = branches.branch_id and {{ holds_on('branches', 'placed.day') }}
)

select
    called.*,
    calls.caller_hash,
    calls.subscriber_id,
    calls.technology
from called
inner join {{ ref('int_calls') }} as calls
    on called.server_id = calls.server_id and called.root_id = calls.root_id
