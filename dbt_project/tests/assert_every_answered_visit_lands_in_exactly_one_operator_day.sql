-- Why: an answer that no operator is credited with, or two are, makes both their rates wrong.
with
facts as (
    select
        business_day,
        count(*) as happened
    from {{ ref('fct_queue_visits') }}
    where
        {{ in_touched_days('business_day') }}
        and outcome = 'answered'
        and operator_id is not null
    group by business_day
),

marts as (
    select
        business_day,
        sum(visits_answered) as counted
    from {{ ref('operator_quality_daily') }}
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
