{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 58}}, pre_hook="{{ hashed_joins() }}"
) }}
-- Level and dispersion of each topic's daily contacts over the days that a business day looks back on, weekday taken
-- out, past surges cut off; quasi-Poisson.
with
-- Contacts are few: of the days that a series looks back on, most are like others of the same weekday.
alike as (
    select
        branch_id,
        topic_id,
        cast(weekday_share as numeric(28, 12)) as weekday_share,
        round(cast(contacts as numeric(28, 12)) / cast(weekday_share as numeric(28, 12)), 6) as level_count,
        count(*) as days,
        business_day
    from {{ ref('int_topic_history') }}
    where
        history_day < business_day and not is_holiday
        and {{ in_reach(0, 58) }}
        and {{ in_reach(0, 58, 'share_day') }}
        and {{ near_touched_days('history_day', 58, 58) }}
    group by business_day, branch_id, topic_id, weekday_share, contacts
),

ordered as (
    select
        *,
        sum(days) over (
            partition by business_day, branch_id, topic_id order by level_count
            rows between unbounded preceding and current row
        ) as last_place,
        cast(sum(days) over (partition by business_day, branch_id, topic_id) as bigint) as history_days
    from alike
),

-- How many of the one or two days in the middle these are: history_days <= 2 * place <= history_days + 2.
placed as (
    select
        *,
        cast(greatest(
            least(last_place, floor(history_days / 2.0) + 1)
            - greatest(last_place - days, ceil(history_days / 2.0) - 1), 0
        ) as bigint) as middle_days
    from ordered
),

-- Once for each series and day: for each of the days it looks back on it would cost half of the model.
ceilings as (
    select
        branch_id,
        topic_id,
        {{ surge_ceiling(
            'sum(level_count * middle_days) / sum(middle_days)', 'sum(level_count * days) / sum(days)'
        ) }} as ceiling,
        business_day
    from placed
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
        sum(days * weekday_share) as shares_sum,
        greatest(sum(days * cut_count * weekday_share), 0.5) / sum(days * weekday_share) as level,
        sum(days * cut_count * cut_count * weekday_share) as squares_sum,
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
