{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 58}}, pre_hook="{{ hashed_joins() }}"
) }}
-- Level and dispersion of each topic's daily contacts over the days that a business day looks back on, weekday taken
-- out, past surges cut off; quasi-Poisson.
with
history as (
    select
        branch_id,
        topic_id,
        cast(weekday_share as numeric(28, 12)) as weekday_share,
        round(cast(contacts as numeric(28, 12)) / cast(weekday_share as numeric(28, 12)), 6) as level_count,
        history_day,
        business_day
    from {{ ref('int_topic_history') }}
    where
        history_day < business_day and not is_holiday
        and {{ in_reach(0, 58) }}
        and {{ in_reach(0, 58, 'share_day') }}
        and {{ near_touched_days('history_day', 58, 58) }}
),

ordered as (
    select
        *,
        row_number() over (partition by business_day, branch_id, topic_id order by level_count, history_day) as place,
        count(*) over (partition by business_day, branch_id, topic_id) as history_days
    from history
),

-- Once for each series and day: for each of the days it looks back on it would cost half of the model.
ceilings as (
    select
        branch_id,
        topic_id,
        {{ surge_ceiling(
            'avg(case when 2 * place between history_days and history_days + 2 then level_count end)',
            'avg(level_count)'
        ) }} as ceiling,
        business_day
    from ordered
    group by branch_id, topic_id, business_day
),

cut as (
    select
        ordered.*,
        least(ordered.level_count, ceilings.ceiling) as cut_count
    from ordered
    inner join ceilings
        on
            ordered.branch_id = ceilings.branch_id
            and ordered.topic_id = ceilings.topic_id
            and ordered.business_day = ceilings.business_day
),

fitted as (
    select
        branch_id,
        topic_id,
        history_days,
        sum(weekday_share) as shares_sum,
        greatest(sum(cut_count * weekday_share), 0.5) / sum(weekday_share) as level,
        sum(cut_count * cut_count * weekday_share) as squares_sum,
        business_day
    from cut
    group by branch_id, topic_id, history_days, business_day
)

select
    branch_id,
    topic_id,
    history_days,
    {{ rounded('level') }} as level,
    -- sum((y - m)^2 / m) / (H - 1) with m = level * share; 1 is Poisson
    {{ rounded('least(greatest((squares_sum / level - level * shares_sum) / nullif(history_days - 1, 0), 1), 10)') }}
        as dispersion,
    business_day
from fitted
