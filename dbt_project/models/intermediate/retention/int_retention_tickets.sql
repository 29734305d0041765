-- Grain: contact with tickets opened in the 270 days up to the as-of day: what became of them, the worst of several.
with
tickets as (
    select
        *,
        kind = 'fault' and coalesce(is_valid_fault, true) as is_fault,
        solved_at is not null as is_solved
    from {{ ref('fct_tickets') }}
    where {{ in_last_days('business_day', retention_days_read()) }} and contact_id is not null
)

select
    contact_id,
    bool_and(is_solved) as is_solved,
    bool_or(reopened_count > 0) as is_reopened,
    bool_or(not is_solved and is_within_target = false) as is_overdue,
    bool_or(is_within_target = false) filter (where is_fault) as is_late_fault,
    case
        when bool_or(not is_solved) filter (where is_fault) then 'not_repaired'
        when max(solution_minutes) filter (where is_fault) <= 8 * 60 then 'up_to_8h'
        when max(solution_minutes) filter (where is_fault) <= 24 * 60 then '8h_to_24h'
        when max(solution_minutes) filter (where is_fault) <= 72 * 60 then '24h_to_72h'
        when max(solution_minutes) filter (where is_fault) > 72 * 60 then 'over_72h'
    end as repair_band
from tickets
group by contact_id
