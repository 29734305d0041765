-- Grain: window x period x branch x technology x tenure band: subscribers who were customers on the period's last day
-- and had no contact in the 28 days up to it, and how many of them left within the window after it. Only periods from
-- whose last day contacts are known for 28 days back.
with
contacts as (
    select
        subscriber_id,
        {{ dbt.datediff('business_day', as_of_day(), 'day') }} as days_ago
    from {{ ref('int_retention_contacts') }}
),

known as (
    select max(days_ago) as days from contacts
),

periods as (
    {% for window, period in retention_periods() %}
        select
            {{ window }} as window_days,
            {{ period }} as period_no,
            {{ window * period }} as days_ago,
            {{ as_of_day(window * period) }} as last_day
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

heard as (
    select distinct
        periods.window_days,
        periods.period_no,
        contacts.subscriber_id
    from contacts
    inner join periods on contacts.days_ago between periods.days_ago and periods.days_ago + 27
)

select
    periods.window_days,
    periods.period_no,
    coalesce(subscribers.branch_id, 'unknown') as branch_id,
    coalesce(subscribers.technology, 'unknown') as technology,
    {{ tenure_band('subscribers.connected_on', 'periods.last_day') }} as tenure_band,
    count(*) as subscribers,
    count(*) filter (
        where {{ dbt.datediff('periods.last_day', 'subscribers.left_on', 'day') }} <= periods.window_days
    ) as has_left
from {{ ref('dim_subscriber') }} as subscribers
cross join periods
inner join known on periods.days_ago + 27 <= known.days
left join heard
    on
        periods.window_days = heard.window_days
        and periods.period_no = heard.period_no
        and subscribers.subscriber_id = heard.subscriber_id
where
    heard.subscriber_id is null
    and (subscribers.left_on is null or subscribers.left_on > periods.last_day)
    and (subscribers.connected_on is null or subscribers.connected_on <= periods.last_day)
group by 1, 2, 3, 4, 5
