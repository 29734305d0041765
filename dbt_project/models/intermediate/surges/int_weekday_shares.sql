{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 58}}
) }}
-- Share of each weekday in a branch's contacts, over the eight weeks that end three days before the business day, for
-- the SQL form of the surges' second opinion; 1 is the mean weekday. Holidays and unloaded days are left out.
with
days as (
    select
        branch_id,
        business_day,
        cast({{ iso_weekday('business_day') }} as bigint) as iso_weekday,
        cast(sum(contacts) as numeric(28, 12)) as contacts
    from {{ ref('int_topic_days') }}
    where coverage = 'loaded' and not is_holiday and {{ near_touched_days('business_day', 58, 58) }}
    group by branch_id, business_day
),

judged as (
    select distinct
        branch_id,
        business_day
    from {{ ref('int_topic_days') }}
    where coverage = 'loaded' and {{ in_reach(0, 58) }}
),

weekdays as (
    select
        judged.branch_id,
        judged.business_day,
        days.iso_weekday,
        avg(days.contacts) as contacts
    from judged
    inner join days
        on
            judged.branch_id = days.branch_id
            and {{ in_surge_history('days.business_day', 'judged.business_day') }}
    group by judged.branch_id, judged.business_day, days.iso_weekday
)

select
    branch_id,
    iso_weekday,
    -- A weekday on which nearly nobody calls is not divided by 0.
    greatest(coalesce({{ rounded(
        'contacts / nullif(avg(contacts) over (partition by branch_id, business_day), 0)'
    ) }}, 1), 0.05) as weekday_share,
    business_day
from weekdays
