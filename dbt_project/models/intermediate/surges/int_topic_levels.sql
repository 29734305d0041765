{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 58}}
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
        and {{ in_reach(0, 58) }} and {{ near_touched_days('history_day', 58, 58) }}
),

ordered as (
    select
        *,
        row_number() over (partition by branch_id, topic_id, business_day order by level_count, history_day) as place,
        count(*) over (partition by branch_id, topic_id, business_day) as history_days
    from history
),

centred as (
    select
        *,
        avg(level_count) over series as mean,
        avg(case when 2 * place between history_days and history_days + 2 then level_count end) over series as median
    from ordered
    window series as (partition by branch_id, topic_id, business_day)
),

cut as (
    select
        *,
        least(level_count, {{ surge_ceiling('median', 'mean') }}) as cut_count
    from centred
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
