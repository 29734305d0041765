{{ config(materialized='view') }}
-- Grain: window x period x experience x band x subscriber: the first such experience of the period. A period is as long
-- as the window, and the last one ends so long before the as-of day that every window has closed. A subscriber counts
-- again in the next period only when the window before it was over, so that nobody's leaving is counted twice.
with
-- All periods of all windows in one pass, a column each: first_<window>_<period>.
firsts as (
    select
        experience,
        band,
        subscriber_id,
        {% for window, period in retention_periods() %}
            min(experience_day) filter (
                where days_ago between {{ window * period }} and {{ window * (period + 1) - 1 }}
            ) as first_{{ window }}_{{ period }},
        {% endfor %}
        -- The same in all rows of a subscriber.
        min(branch_id) as branch_id,
        min(technology) as technology,
        min(connected_on) as connected_on,
        min(left_on) as left_on
    from {{ ref('int_retention_experiences') }}
    where days_ago >= {{ retention_windows() | min }}
    group by experience, band, subscriber_id
),

cohorts as (
    {% for window, period in retention_periods() %}
        {% set first, before = 'first_%s_%s' % (window, period), 'first_%s_%s' % (window, period + 1) %}
        select
            {{ window }} as window_days,
            cast({{ period }} as bigint) as period_no,
            experience,
            band,
            subscriber_id,
            branch_id,
            technology,
            connected_on,
            left_on,
            {{ first }} as experience_day
        from firsts
        where
            {{ first }} is not null
            {% if (window, period + 1) in retention_periods() %}
                and ({{ before }} is null or {{ dbt.datediff(before, first, 'day') }} >= {{ window }})
            {% endif %}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    window_days,
    period_no,
    experience,
    band,
    subscriber_id,
    branch_id,
    technology,
    {{ tenure_band('connected_on', 'experience_day') }} as tenure_band,
    coalesce({{ dbt.datediff('experience_day', 'left_on', 'day') }} <= window_days, false) as has_left,
    experience_day
from cohorts
