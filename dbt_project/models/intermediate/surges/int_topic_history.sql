{{ config(materialized='view') }}
-- Grain: one series (topic in a branch), a day to judge and a loaded day that is looked at for it: the day itself and
-- those it looks back on. With the share of the looked-at weekday as it is for the day to judge. A view: who reads it
-- bounds both days, and share_day, which is the day to judge: a range is not carried over to what is equal to it.
with
days as (
    select
        branch_id,
        topic_id,
        is_holiday,
        contacts,
        business_day
    from {{ ref('int_topic_days') }}
    where coverage = 'loaded'
),

shares as (
    select * from {{ ref('int_weekday_shares') }}
),

-- A weekday belongs to the date: joined to the series' days by it, shares of all years would meet days of all years.
dates as (
    select distinct
        cast({{ iso_weekday('business_day') }} as bigint) as iso_weekday,
        business_day
    from {{ ref('int_topic_days') }}
),

-- Every pair of days once for all series.
pairs as (
    select
        dates.business_day,
        looked_at.iso_weekday,
        looked_at.business_day as history_day
    from dates
    inner join dates as looked_at
        on
            dates.business_day = looked_at.business_day
            or {{ in_surge_history('looked_at.business_day', 'dates.business_day') }}
)

select
    days.branch_id,
    days.topic_id,
    days.contacts,
    days.is_holiday,
    shares.weekday_share,
    days.business_day as history_day,
    shares.business_day as share_day,
    pairs.business_day
from pairs
inner join days on pairs.history_day = days.business_day
inner join shares
    on
        days.branch_id = shares.branch_id
        and pairs.iso_weekday = shares.iso_weekday
        and pairs.business_day = shares.business_day
