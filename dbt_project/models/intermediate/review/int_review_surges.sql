-- Grain: branch ('*': all) x week x surge: surges of a topic that were found on a day of the week, over its days in the
-- week, of the weeks the touched days reach.
with
days as (
    select
        *,
        {{ week_start('business_day') }} as week_start
    from {{ ref('topic_surges') }}
    where
        {{ near_touched_days('business_day', 48, 133) }}
        and surge_id is not null and verdict in ('surge', 'known_outage')
),

summed as (
    select
        branch_id,
        topic_id,
        surge_id,
        surge_start,
        count(*) as surge_days,
        sum(contacts) as contacts,
        {{ exact_sum('expected') }} as expected,
        min(q_value) as q_value,
        bool_or(is_new) as is_new,
        bool_and(verdict = 'known_outage') as is_known_outage,
        min(leading_branch_id) as leading_branch_id,
        week_start
    from days
    group by branch_id, topic_id, surge_id, surge_start, week_start
)

select
    *,
    row_number() over (
        partition by branch_id, week_start
        order by contacts - expected desc, surge_id
    ) as place
from summed
where {{ in_reach(48, 127, 'week_start') }}
