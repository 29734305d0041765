-- Grain: one ring of an operator's phone within 90 days, answered or not. A phone that rang in vain until somebody else
-- took the call, or until the caller gave up, was cut short: nobody left it ringing.
with
visits as (
    select * from {{ ref('fct_queue_visits') }}
    where {{ in_last_days('business_day', 90) }}
),

rings as (
    select
        queue_visit_id as ring_id,
        queue_visit_id,
        contact_id,
        operator_id,
        branch_id,
        server_id,
        queue,
        answered_at as rang_at,
        cast(null as bigint) as rang_ms,
        0 as is_missed,
        false as is_cut_short,
        business_day
    from visits
    where outcome = 'answered' and operator_id is not null
    union all
    select
        missed.ring_no_answer_id as ring_id,
        missed.queue_visit_id,
        visits.contact_id,
        missed.operator_id,
        missed.branch_id,
        missed.server_id,
        missed.queue,
        missed.rang_at,
        missed.rang_ms,
        1 as is_missed,
        coalesce(
            abs({{ seconds_between('missed.rang_at', 'coalesce(visits.answered_at, visits.ended_at)') }}) <= 1, false
        ) as is_cut_short,
        missed.business_day
    from {{ ref('fct_ring_no_answers') }} as missed
    left join visits on missed.queue_visit_id = visits.queue_visit_id
    where {{ in_last_days('missed.business_day', 90) }}
),

-- What a queue serves, told by its visits: a ring in vain must not be another kind of ring.
served as (
    select
        server_id,
        queue,
        max(topic_class) as topic_class
    from visits
    group by server_id, queue
)

select
    rings.ring_id,
    rings.queue_visit_id,
    rings.contact_id,
    rings.operator_id,
    rings.branch_id,
    rings.rang_ms,
    rings.is_missed,
    rings.is_cut_short,
    served.topic_class,
    {{ hour_band(local_hour('rings.rang_at', zone_of('branches'))) }} as hour_band,
    rings.business_day
from rings
left join served on rings.server_id = served.server_id and rings.queue = served.queue
left join {{ ref('int_branches') }} as branches
    on rings.branch_id = branches.branch_id and {{ holds_on('branches', 'rings.business_day') }}
