{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 58}}, pre_hook="{{ hashed_joins() }}"
) }}
-- The second opinion on surges, in SQL that runs anywhere: Farrington 1996 on the 2/3-power scale. History, weekday
-- shares and ceiling are those of the Python form; a quasi-Poisson stands for the negative binomial, one limit (0.1 % a
-- day) for the false discovery rate, and there is no CUSUM.
with
days as (
    select * from {{ ref('int_topic_history') }}
    where
        history_day = business_day and {{ in_reach(0, 58) }}
        and {{ in_reach(0, 58, 'history_day') }}
        and {{ in_reach(0, 58, 'share_day') }}
),

levels as (
    select * from {{ ref('int_topic_levels') }}
    where history_days >= 28 and {{ in_reach(0, 58) }}
),

expected as (
    select
        days.branch_id,
        days.topic_id,
        days.contacts,
        levels.level * days.weekday_share as mean,
        levels.dispersion * levels.level * days.weekday_share * (1 + 1.0 / levels.history_days) as variance,
        days.business_day
    from days
    inner join levels
        on
            days.branch_id = levels.branch_id
            and days.topic_id = levels.topic_id
            and days.business_day = levels.business_day
),

scored as (
    select
        *,
        {{ farrington_score('contacts', 'mean', 'variance') }} as score,
        {{ farrington_limit('mean', 'variance') }} as farrington_limit
    from expected
)

select
    branch_id,
    topic_id,
    {{ rounded('case when score > 0 then ' ~ upper_tail('score') ~ ' else 1 - ' ~ upper_tail('score') ~ ' end') }}
        as farrington_p,
    farrington_limit,
    contacts >= 5 and contacts > farrington_limit as is_farrington_surge,
    business_day
from scored
