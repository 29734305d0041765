-- Why: ratings are few; one that is lost or counted twice moves an operator's mean.
with
facts as (
    select
        operator_id,
        business_day,
        count(*) as asked,
        sum(rating) as points
    from {{ ref('fct_ratings') }}
    where
        {{ in_touched_days('business_day') }}
        and operator_id is not null
        and criterion <> 'unmapped'
    group by operator_id, business_day
),

marts as (
    select
        operator_id,
        business_day,
        rating_service_quality_asked + rating_readiness_to_help_asked + rating_politeness_asked
        + rating_competence_asked as asked,
        rating_service_quality_sum + rating_readiness_to_help_sum + rating_politeness_sum
        + rating_competence_sum as points
    from {{ ref('operator_quality_daily') }}
    where {{ in_touched_days('business_day') }}
)

select
    coalesce(facts.operator_id, marts.operator_id) as operator_id,
    coalesce(facts.business_day, marts.business_day) as business_day,
    facts.asked,
    marts.asked as asked_in_mart
from facts
full join marts on facts.operator_id = marts.operator_id and facts.business_day = marts.business_day
where
    coalesce(facts.asked, 0) <> coalesce(marts.asked, 0)
    or coalesce(facts.points, 0) <> coalesce(marts.points, 0)
