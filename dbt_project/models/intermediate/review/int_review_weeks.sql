-- Grain: branch ('*': all) x ISO week near the touched days: how many of its days are loaded to their end. For all
-- branches a day is loaded where it is for each of them.
with
days as (
    select
        branch_id,
        status in ('measured', 'no_contacts') as is_loaded,
        business_day
    from {{ ref('branch_quality_daily') }}
    where {{ near_touched_days('business_day', 111, 133) }}
),

together as (
    select * from days
    union all
    select
        '*' as branch_id,
        bool_and(is_loaded) as is_loaded,
        business_day
    from days
    group by business_day
)

select
    branch_id,
    count(*) filter (where is_loaded) as days_loaded,
    count(*) filter (where is_loaded) = 7 as is_complete,
    {{ week_start('business_day') }} as week_start
from together
group by branch_id, {{ week_start('business_day') }}
