-- Why: a visit whose contact has no topic belongs to a bucket, not to nobody.
with
facts as (
    select
        business_day,
        count(*) as happened
    from {{ ref('fct_queue_visits') }}
    where {{ in_touched_days('business_day') }}
    group by business_day
),

marts as (
    select
        business_day,
        sum(visits_entered) as counted
    from {{ ref('topic_quality_daily') }}
    where {{ in_touched_days('business_day') }}
    group by business_day
)

select
    coalesce(facts.business_day, marts.business_day) as business_day,
    facts.happened,
    marts.counted
from facts
full join marts on facts.business_day = marts.business_day
where coalesce(facts.happened, 0) <> coalesce(marts.counted, 0)
