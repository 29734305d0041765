{{ config(materialized='view') }}
-- Grain: contact of a known subscriber in the 270 days up to the as-of day, with what was experienced, in bands.
with
told as (
    select
        *,
        {{ seconds_between('before_at', 'started_at') }} as seconds_since_before,
        {{ seconds_between('second_before_at', 'started_at') }} as seconds_since_second_before
    from {{ ref('int_retention_told') }}
)

select
    contact_id,
    subscriber_id,
    branch_id,
    topic_id,
    contact_kind,
    outcome,
    wait_seconds,
    lowest_rating,
    satisfaction,
    case
        when contact_kind <> 'call' then 'no_call'
        when outcome = 'left_in_menu' then 'left_in_menu'
        when not is_handled then 'gave_up'
        when wait_seconds <= 20 then 'up_to_20s'
        when wait_seconds <= 60 then '20s_to_1min'
        when wait_seconds <= 180 then '1_to_3min'
        when wait_seconds > 180 then 'over_3min'
        else 'unknown'
    end as wait_band,
    solved_band,
    case
        when lowest_rating <= 2 then 'low'
        when lowest_rating = 3 then 'middle'
        when lowest_rating >= 4 then 'high'
        else 'not_rated'
    end as rating_band,
    case
        when seconds_since_second_before <= 7 * 86400 then 'third_or_more'
        when seconds_since_before <= 7 * 86400 then 'second'
        else 'first'
    end as repeat_band,
    coalesce(repair_band, 'no_fault') as repair_band,
    case when is_late_fault then 'late' when is_late_fault = false then 'in_target' else 'no_fault' end
        as repair_target_band,
    business_day
from told
