-- Grain: operator x aspect. How hard the contacts of the later period were: the mean rating or talk that the same
-- topics brought to all others, against that of all others. The person's own contacts are left out on both sides.
with
items as (
    select * from {{ ref('int_rudeness_items') }}
    union all
    select * from {{ ref('int_slowness_items') }}
),

topics as (
    select
        case when signal = 'handle_time' then 'slowness' else 'rudeness' end as aspect,
        operator_id,
        dim_1 as topic_id,
        sum(n) as n,
        sum(x) as x
    from items
    where signal in ('politeness_mean', 'handle_time') and {{ in_last_days('business_day', 28) }}
    group by signal, operator_id, dim_1
),

others as (
    select
        *,
        sum(n) over (partition by aspect, topic_id) - n as topic_n,
        sum(x) over (partition by aspect, topic_id) - x as topic_x,
        sum(n) over (partition by aspect) - sum(n) over (partition by aspect, operator_id) as all_n,
        sum(x) over (partition by aspect) - sum(x) over (partition by aspect, operator_id) as all_x
    from topics
)

select
    operator_id,
    aspect,
    sum(n * topic_x / topic_n) / sum(n) as usual_of_topics,
    max(all_x / all_n) as usual_of_all
from others
where topic_n > 0 and all_n > 0
group by operator_id, aspect
