{{ config(materialized='view') }}
-- Grain: window x period x experience x band x subscriber: the first such experience of the period. A period is as long
-- as the window, and the last one ends so long before the as-of day that every window has closed. A subscriber counts
-- again in the next period only when the window before it was over, so that nobody's leaving is counted twice.
with
experiences as (
    select * from {{ ref('int_retention_experiences') }}
),

windows as (
    {{ retention_window_rows() }}
),

placed as (
    select
        windows.window_days,
        cast(floor(cast(experiences.days_ago as {{ dbt.type_numeric() }}) / windows.window_days) as bigint)
            as period_no,
        experiences.*
    from experiences
    cross join windows
    where
        experiences.days_ago >= windows.window_days
        and experiences.days_ago < {{ retention_days() }} + windows.window_days
),

first_of_period as (
    select
        *,
        row_number() over (
            partition by window_days, period_no, experience, band, subscriber_id
            order by experience_day
        ) as experience_no
    from placed
),

followed as (
    select
        *,
        lag(days_ago) over (
            partition by window_days, experience, band, subscriber_id
            order by experience_day
        ) as days_ago_before
    from first_of_period
    where experience_no = 1
)

select
    window_days,
    period_no,
    experience,
    band,
    subscriber_id,
    branch_id,
    technology,
    tenure_band,
    coalesce({{ dbt.datediff('experience_day', 'left_on', 'day') }} <= window_days, false) as has_left,
    experience_day
from followed
where days_ago_before is null or days_ago_before - days_ago >= window_days
