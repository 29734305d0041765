-- Why: who or what has no row looks as if nothing were wrong. Every day that is due, for everybody there is, stays.
with
spines as (
    select
        'operator' as grain,
        operator_id as id,
        business_day
    from {{ ref('int_operator_spine') }}
    where {{ in_touched_days('business_day') }}
    union all
    select
        'branch' as grain,
        branch_id as id,
        business_day
    from {{ ref('int_branch_spine') }}
    where {{ in_touched_days('business_day') }}
    union all
    select
        'topic' as grain,
        topic_id as id,
        business_day
    from {{ ref('int_topic_spine') }}
    where {{ in_touched_days('business_day') }}
),

marts as (
    select
        'operator' as grain,
        operator_id as id,
        business_day
    from {{ ref('operator_quality_daily') }}
    where {{ in_touched_days('business_day') }}
    union all
    select
        'branch' as grain,
        branch_id as id,
        business_day
    from {{ ref('branch_quality_daily') }}
    where {{ in_touched_days('business_day') }}
    union all
    select
        'topic' as grain,
        topic_id as id,
        business_day
    from {{ ref('topic_quality_daily') }}
    where {{ in_touched_days('business_day') }}
)

select
    spines.grain,
    spines.id,
    spines.business_day,
    count(marts.id) as mart_rows
from spines
left join marts
    on spines.grain = marts.grain and spines.id = marts.id and spines.business_day = marts.business_day
group by spines.grain, spines.id, spines.business_day
having count(marts.id) <> 1
