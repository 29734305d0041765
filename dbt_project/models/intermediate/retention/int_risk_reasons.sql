-- Grain: subscriber x reason, for customers who had that bad experience in the 28 days up to the as-of day.
with
events as (
    select
        *,
        row_number() over (
            partition by subscriber_id, reason
            order by event_day desc, reference desc
        ) as event_no
    from {{ ref('int_risk_events') }}
),

summed as (
    select
        subscriber_id,
        reason,
        count(*) as events,
        count(*) filter (where {{ in_last_days('event_day', 14) }}) as events_14_days,
        min(event_day) as first_day,
        max(event_day) as last_day,
        max(reference) filter (where event_no = 1) as last_reference,
        max(topic_id) filter (where event_no = 1) as last_topic_id
    from events
    group by subscriber_id, reason
)

select
    summed.*,
    reasons.title,
    reasons.weight,
    reasons.experience,
    reasons.band
from summed
inner join {{ ref('retention_reasons') }} as reasons on summed.reason = reasons.reason
