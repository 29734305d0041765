-- Why: a zero on a day that was never loaded reads as a catastrophe, and an average over it is wrong for ever.
select
    branch_id,
    business_day,
    visits_coverage,
    visits_entered,
    visits_answered
from {{ ref('branch_quality_daily') }}
where
    {{ in_touched_days('business_day') }}
    and visits_coverage in ('not_loaded', 'not_configured')
    and (
        visits_entered is not null
        or visits_answered is not null
        or wait_seconds_sum is not null
        or service_level_offered is not null
    )
