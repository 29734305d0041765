{{ config(materialized='table') }}
with
reasons as (
    select * from {{ ref('int_risk_reasons') }}
),

subscribers as (
    select * from {{ ref('dim_subscriber') }}
    where left_on is null or left_on > {{ as_of_day() }}
),

cells as (
    select * from {{ ref('retention_by_experience') }}
    where window_days = 30
),

summed as (
    select
        subscriber_id,
        count(*) as reasons,
        sum(weight) as weights,
        max(last_day) as last_day
    from reasons
    group by subscriber_id
),

ordered as (
    select
        summed.*,
        subscribers.branch_id,
        subscribers.technology,
        subscribers.tariff,
        subscribers.connected_on,
        row_number() over (
            order by summed.reasons desc, summed.weights desc, summed.last_day desc, summed.subscriber_id
        ) as place
    from summed
    inner join subscribers on summed.subscriber_id = subscribers.subscriber_id
)

select
    ordered.place,
    ordered.subscriber_id,
    ordered.branch_id,
    ordered.technology,
    ordered.tariff,
    cast({{ dbt.datediff('ordered.connected_on', as_of_day(), 'day') }} as bigint) as customer_for_days,
    ordered.reasons,
    ordered.weights,
    reasons.reason,
    reasons.title,
    cast(reasons.weight as bigint) as weight,
    reasons.events,
    reasons.events_14_days,
    reasons.first_day,
    reasons.last_day,
    reasons.last_reference,
    reasons.last_topic_id,
    cells.experience as like_experience,
    cells.band as like_band,
    cells.subscribers as like_subscribers,
    cells.churn_share as like_churn_share_30d,
    cells.churn_share_low as like_churn_share_30d_low,
    cells.churn_share_high as like_churn_share_30d_high,
    cells.lift as like_lift_30d,
    cells.verdict as like_verdict_30d,
    {{ as_of_day() }} as as_of_day
from ordered
inner join reasons on ordered.subscriber_id = reasons.subscriber_id
left join cells on reasons.experience = cells.experience and reasons.band = cells.band
