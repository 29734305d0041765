{{ config(indexes=[{'columns': ['contact_id']}, {'columns': ['server_id', 'root_id']}]) }}
-- One row per call around the touched days: the sum of its queue visits, or how it ended without any.
with
visits as (
    select
        *,
        min(case when outcome = 'answered' then visit_order end) over (partition by contact_id) as first_answer,
        max(case when outcome = 'answered' then visit_order end) over (partition by contact_id) as last_answer,
        max(visit_order) over (partition by contact_id) as last_visit,
        min(case when topic_class is not null then visit_order end) over (partition by contact_id) as first_classed
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
        max(case when visit_order = first_classed then topic_class end) as queue_class,
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

called as (
    select * from visited
    union all
    select
        contact_id,
        server_id,
        root_id,
        started_at,
        ended_at,
        branch_id,
        first_queue,
        queue_class,
        business_day,
        0 as queue_visits,
        outcome,
        null as first_operator_id,
        null as last_operator_id,
        0 as operators,
        null as wait_seconds,
        null as ring_seconds,
        null as talk_seconds,
        0 as transfers,
        null as hung_up_by
    from {{ ref('int_placed_unqueued_calls') }}
)

select
    called.*,
    calls.caller_hash,
    calls.subscriber_id,
    calls.technology
from called
inner join {{ ref('int_calls') }} as calls
    on called.server_id = calls.server_id and called.root_id = calls.root_id
