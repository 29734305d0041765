{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 0, 'after': 7}},
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: one call and day on which something became known that asks for a listener: a complaint opened after the call
-- and at most 7 days later (one opened during it is about something else), a politeness rating of 1 or 2, another
-- criterion rated 1 or 2. The heaviest of them is the signal.
with
pool as (
    select * from {{ ref('int_listening_pool') }}
    where {{ near_touched_days('business_day', 7, 7) }}
),

complaints as (
    select
        tickets.contact_id,
        1 as weight,
        cast(null as bigint) as rating,
        tickets.business_day
    from {{ ref('fct_tickets') }} as tickets
    inner join pool on tickets.contact_id = pool.contact_id
    where
        tickets.kind = 'complaint' and tickets.opened_at > pool.ended_at
        and tickets.business_day between pool.business_day and {{ add_days('pool.business_day', 7) }}
),

ratings as (
    select
        ratings.contact_id,
        case when ratings.criterion = 'politeness' then 2 else 3 end as weight,
        cast(ratings.rating as bigint) as rating,
        ratings.business_day
    from {{ ref('fct_ratings') }} as ratings
    inner join pool on ratings.contact_id = pool.contact_id
    where ratings.rating <= 2 and {{ in_reach(0, 7, 'ratings.business_day') }}
),

signals as (
    select * from complaints
    union all
    select * from ratings
),

summed as (
    select
        contact_id,
        min(weight) as weight,
        min(rating) as worst_rating,
        count(*) as signals,
        business_day
    from signals
    where {{ in_reach(0, 7) }}
    group by contact_id, business_day
)

select
    summed.contact_id,
    case summed.weight when 1 then 'complaint' when 2 then 'rudeness' else 'low_rating' end as signal,
    summed.weight as signal_weight,
    summed.worst_rating,
    summed.signals,
    pool.branch_id,
    pool.operator_id,
    pool.topic_id,
    pool.topic_class,
    pool.length_band,
    pool.talk_seconds,
    pool.started_at,
    pool.business_day as call_day,
    summed.business_day
from summed
inner join pool on summed.contact_id = pool.contact_id
