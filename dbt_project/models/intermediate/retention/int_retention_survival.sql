-- Grain: experience x band x window: share that has left after so many days by Kaplan and Meier, which also uses those
-- whose window is still open. A subscriber counts once, from the first such experience of the last 180 days on.
with
windows as (
    {{ retention_window_rows() }}
),

first_experiences as (
    select
        experience,
        band,
        max(days_ago) as days_ago,
        {{ dbt.datediff('min(experience_day)', 'min(left_on)', 'day') }} as days_stayed
    from {{ ref('int_retention_experiences') }}
    where days_ago between 1 and {{ retention_days() }}
    group by experience, band, subscriber_id
),

entries as (
    select
        experience,
        band,
        cast(least(coalesce(days_stayed, days_ago), {{ retention_windows() | max }} + 1) as bigint) as followed_days,
        coalesce(days_stayed <= {{ retention_windows() | max }}, false) as is_event
    from first_experiences
),

{{ survival_ctes('entries', ['experience', 'band']) }},

totals as (
    select
        experience,
        band,
        count(*) as subscribers,
        max(followed_days) as longest_days
    from entries
    group by experience, band
),

last_day as (
    select
        survival.*,
        windows.window_days,
        row_number() over (
            partition by survival.experience, survival.band, windows.window_days
            order by survival.followed_days desc
        ) as day_no,
        sum(survival.ended) over (partition by survival.experience, survival.band, windows.window_days) as has_left
    from survival
    inner join windows on survival.followed_days <= windows.window_days
)

select
    totals.experience,
    totals.band,
    windows.window_days,
    totals.subscribers,
    case when totals.longest_days >= windows.window_days then coalesce(last_day.has_left, 0) end as has_left,
    case when totals.longest_days >= windows.window_days then coalesce(last_day.survived, 1) end as survived,
    case when totals.longest_days >= windows.window_days then last_day.greenwood end as greenwood
from totals
cross join windows
left join last_day
    on
        totals.experience = last_day.experience
        and totals.band = last_day.band
        and windows.window_days = last_day.window_days
        and last_day.day_no = 1
