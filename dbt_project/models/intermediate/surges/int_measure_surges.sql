{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 183}}
) }}
-- The surge each measure answers: the one noted, else the latest of its branch and topic that had a finding on the day
-- the measure began or the three days before, else such a one over all branches. Measures without one have no row.
with
measures as (
    select * from {{ ref('int_measures') }} where {{ in_reach(0, 183) }}
),

surges as (
    select * from {{ ref('topic_surges') }}
    where surge_id is not null and {{ near_touched_days('business_day', 56, 183) }}
),

matched as (
    select
        measures.measure_id,
        measures.business_day,
        surges.surge_id,
        surges.surge_start,
        surges.branch_id as surge_branch_id,
        row_number() over (
            partition by measures.measure_id
            order by
                case
                    when surges.surge_id = measures.noted_surge_id then 0
                    when surges.branch_id = measures.branch_id then 1
                    else 2
                end,
                surges.business_day desc,
                surges.surge_id
        ) as place
    from measures
    inner join surges
        on
            surges.business_day between {{ add_days('measures.business_day', -56) }} and measures.business_day
            and (
                measures.noted_surge_id = surges.surge_id
                or (
                    measures.topic_id = surges.topic_id
                    and surges.branch_id in (measures.branch_id, '*')
                    and surges.business_day >= {{ add_days('measures.business_day', -3) }}
                )
            )
)

select
    matched.measure_id,
    matched.surge_id,
    matched.surge_start,
    -- A night's findings are read in the morning after it.
    {{ local_instant(add_days('matched.surge_start', 1), zone_of('branches'), 8 * 60) }} as surge_found_at,
    matched.business_day
from matched
left join {{ ref('int_branches') }} as branches
    on matched.surge_branch_id = branches.branch_id and {{ holds_on('branches', 'matched.surge_start') }}
where matched.place = 1
