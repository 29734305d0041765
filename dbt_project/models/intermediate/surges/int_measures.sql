-- Special measures with the branch-local day on which they began; branch '*' is all branches.
with
measures as (
    select
        *,
        {{ local_date('started_at', default_zone()) }} as day
    from {{ ref('stg_crm__measures') }}
    where started_at is not null
)

select
    measures.measure_id,
    coalesce(measures.branch_id, '*') as branch_id,
    measures.topic_id,
    measures.surge_id as noted_surge_id,
    measures.what,
    measures.owner,
    measures.started_at,
    measures.ended_at,
    {{ local_date('measures.started_at', zone_of('branches')) }} as business_day
from measures
left join {{ ref('int_branches') }} as branches
    on measures.branch_id = branches.branch_id and {{ holds_on('branches', 'measures.day') }}
