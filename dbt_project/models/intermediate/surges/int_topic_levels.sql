{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 58}}, pre_hook="{{ hashed_joins() }}"
) }}
-- Level and dispersion of each topic's daily contacts over the days that a business day looks back on, weekday taken
-- out, past surges cut off; quasi-Poisson.
with
-- Contacts are few: of the days that a series looks back on most are like others, and those without one are all alike.
-- Shares in billionths and levels in millionths are integers, which are added up exactly and soon.
alike as (
    select
        branch_id,
        topic_id,
        cast(floor(
            1000000 * contacts / coalesce(case when contacts > 0 then weekday_share end, 1) + 0.5
        ) as bigint) as level_millionths,
        cast(count(*) as integer) as days,
        cast(sum(cast(round(1000000000 * weekday_share) as bigint)) as bigint) as shares,
        business_day
    from {{ ref('int_topic_history') }}
    where
        history_day < business_day and not is_holiday
        and {{ in_reach(0, 58) }}
        and {{ in_reach(0, 58, 'share_day') }}
        and {{ near_touched_days('history_day', 58, 58) }}
    group by business_day, branch_id, topic_id, contacts, case when contacts > 0 then weekday_share end
),

ordered as (
    select
        *,
        level_millionths * 0.000001 as level_count,
        cast(sum(days) over (
            partition by business_day, branch_id, topic_id order by level_millionths
            rows between unbounded preceding and current row
        ) as bigint) as last_place,
        cast(sum(days) over (partition by business_day, branch_id, topic_id) as bigint) as history_days
    from alike
),

-- Twice how many of the one or two days in the middle these are: history_days <= 2 * place <= history_days + 2.
placed as (
    select
        *,
        greatest(
            least(2 * last_place, history_days - mod(history_days, 2) + 2)
            - greatest(2 * (last_place - days), history_days + mod(history_days, 2) - 2), 0
        ) as middle_weight
    from ordered
),

uncut as (
    select
        branch_id,
        topic_id,
        history_days,
        {{ surge_ceiling(
            'sum(level_millionths * middle_weight) / sum(middle_weight) * 0.000001',
            'sum(level_millionths * days) / sum(days) * 0.000001'
        ) }} as ceiling,
        sum(shares) as shares,
        sum(level_count * shares) as counts,
        sum(level_count * level_count * shares) as squares,
        business_day
    from placed
    group by branch_id, topic_id, history_days, business_day
),

-- What days have beyond the ceiling: few have, and for each of them all the sums would cost half of the model.
beyond as (
    select
        uncut.branch_id,
        uncut.topic_id,
        sum((ordered.level_count - uncut.ceiling) * ordered.shares) as counts,
        sum((ordered.level_count * ordered.level_count - uncut.ceiling * uncut.ceiling) * ordered.shares) as squares,
        uncut.business_day
    from ordered
    inner join uncut
        on
            ordered.branch_id = uncut.branch_id
            and ordered.topic_id = uncut.topic_id
            and ordered.business_day = uncut.business_day
            and ordered.level_count > uncut.ceiling
    group by uncut.branch_id, uncut.topic_id, uncut.business_day
),

fitted as (
    select
        uncut.branch_id,
        uncut.topic_id,
        uncut.history_days,
        uncut.shares,
        greatest(uncut.counts - coalesce(beyond.counts, 0), 500000000) / uncut.shares as level,
        uncut.squares - coalesce(beyond.squares, 0) as squares,
        uncut.business_day
    from uncut
    left join beyond
        on
            uncut.branch_id = beyond.branch_id
            and uncut.topic_id = beyond.topic_id
            and uncut.business_day = beyond.business_day
)

select
    branch_id,
    topic_id,
    history_days,
    {{ rounded('level') }} as level,
    -- sum((y - m)^2 / m) / (H - 1) with m = level * share; 1 is Poisson
    {{ rounded(
        'least(greatest((squares / level - level * shares) / nullif(1000000000 * (history_days - 1), 0), 1), 10)'
    ) }} as dispersion,
    business_day
from fitted
