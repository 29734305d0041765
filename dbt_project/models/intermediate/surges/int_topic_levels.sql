{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 58}}
) }}
-- Level and dispersion of each topic's daily contacts over the eight weeks that end three days before the business day
-- (so that a surge of yesterday does not hide today's), weekday taken out, past surges cut off; quasi-Poisson.
with
days as (
    select
        branch_id,
        topic_id,
        is_holiday,
        cast({{ iso_weekday('business_day') }} as bigint) as iso_weekday,
        cast(contacts as numeric(28, 12)) as contacts,
        business_day
    from {{ ref('int_topic_days') }}
    where coverage = 'loaded' and {{ near_touched_days('business_day', 58, 58) }}
),

shares as (
    select
        branch_id,
        iso_weekday,
        cast(weekday_share as numeric(28, 12)) as weekday_share,
        business_day
    from {{ ref('int_weekday_shares') }}
    where {{ in_reach(0, 58) }}
),

dates as (
    select distinct business_day from days
),

-- Every pair of a judged day and a day it looks back on, once for all series.
pairs as (
    select
        dates.business_day,
        past.business_day as history_day
    from dates
    inner join dates as past
        on
            past.business_day between {{ add_days('dates.business_day', -58) }}
            and {{ add_days('dates.business_day', -3) }}
    where {{ in_reach(0, 58, 'dates.business_day') }}
),

history as (
    select
        days.branch_id,
        days.topic_id,
        pairs.business_day,
        shares.weekday_share,
        round(days.contacts / shares.weekday_share, 6) as level_count
    from pairs
    inner join days on pairs.history_day = days.business_day and not days.is_holiday
    inner join shares
        on
            days.branch_id = shares.branch_id
            and days.iso_weekday = shares.iso_weekday
            and pairs.business_day = shares.business_day
),

plain as (
    select
        branch_id,
        topic_id,
        business_day,
        count(*) as history_days,
        sum(weekday_share) as shares_sum,
        sum(level_count * weekday_share) as counts_sum,
        sum(level_count * level_count * weekday_share) as squares_sum,
        {{ surge_ceiling('percentile_cont(0.5) within group (order by level_count)', 'avg(level_count)') }} as ceiling
    from history
    group by branch_id, topic_id, business_day
),

-- What past surges had above the ceiling.
above as (
    select
        history.branch_id,
        history.topic_id,
        history.business_day,
        sum((history.level_count - plain.ceiling) * history.weekday_share) as counts_sum,
        sum(
            (history.level_count * history.level_count - plain.ceiling * plain.ceiling) * history.weekday_share
        ) as squares_sum
    from history
    inner join plain
        on
            history.branch_id = plain.branch_id
            and history.topic_id = plain.topic_id
            and history.business_day = plain.business_day
    where history.level_count > plain.ceiling
    group by history.branch_id, history.topic_id, history.business_day
),

fitted as (
    select
        plain.*,
        greatest(plain.counts_sum - coalesce(above.counts_sum, 0), 0.5) / plain.shares_sum as level,
        plain.squares_sum - coalesce(above.squares_sum, 0) as cut_squares_sum
    from plain
    left join above
        on
            plain.branch_id = above.branch_id
            and plain.topic_id = above.topic_id
            and plain.business_day = above.business_day
)

select
    branch_id,
    topic_id,
    history_days,
    {{ rounded('level') }} as level,
    -- sum((y - m)^2 / m) / (H - 1) with m = level * share; 1 is Poisson
    {{ rounded(
        'least(greatest((cut_squares_sum / level - level * shares_sum) / nullif(history_days - 1, 0), 1), 10)'
    ) }} as dispersion,
    business_day
from fitted
