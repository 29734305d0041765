{{ config(pre_hook="{{ hashed_joins() }}") }}
-- Grain: branch x week x section x item, of the weeks that the review writes: this week against its usual weeks.
-- Over-dispersion is half the item's own, half that of all items of the section, at least 1. Counts are compared by
-- square roots, shares by arcsines (Anscombe 1948), which makes small numbers near normal; means as they are. Nothing
-- is compared before the week has ended, with fewer than four usual weeks, or for shares and means of fewer than 20
-- observations.
{% set float = dbt.type_float() %}
with
measures as (
    select * from {{ ref('int_review_measures') }} where {{ in_reach(48, 127, 'week_start') }}
),

joined as (
    select
        measures.*,
        weeks.days_loaded,
        coalesce(weeks.is_complete, false) as is_complete,
        usual.weeks,
        usual.n as usual_n,
        usual.level,
        usual.variance,
        before.n as before_n,
        before.x as before_x,
        greatest(
            coalesce((usual.spread + avg(usual.spread) over (
                partition by measures.branch_id, measures.section, measures.week_start
            )) / 2, 1), 1
        ) as dispersion
    from measures
    left join {{ ref('int_review_weeks') }} as weeks
        on measures.branch_id = weeks.branch_id and measures.week_start = weeks.week_start
    left join {{ ref('int_review_usual') }} as usual
        on
            measures.branch_id = usual.branch_id
            and measures.section = usual.section
            and measures.item = usual.item
            and measures.week_start = usual.week_start
    left join {{ ref('int_review_weeks') }} as last_week
        on
            measures.branch_id = last_week.branch_id
            and last_week.week_start = {{ add_days('measures.week_start', -7) }}
    left join {{ ref('int_review_measures') }} as before
        on
            measures.branch_id = before.branch_id
            and measures.section = before.section
            and measures.item = before.item
            and last_week.week_start = before.week_start
            and last_week.is_complete
),

comparable as (
    select
        *,
        is_complete and weeks >= {{ review_least_weeks() }} and variance > 0 and (kind = 'count' or n >= 20)
            as is_comparable,
        sqrt(cast(dispersion * (1 / n + 1 / usual_n) as {{ float }})) as deviation
    from joined
),

scored as (
    select
        *,
        case
            when not coalesce(is_comparable, false) then null
            when kind = 'count'
                then 2.0 * (sqrt(cast(x + 0.375 as {{ float }})) - sqrt(cast(level + 0.375 as {{ float }}))) / deviation
            when kind = 'rate'
                then
                    2.0 * (
                        asin(sqrt(cast((x + 0.375) / (n + 0.75) as {{ float }})))
                        - asin(sqrt(cast((level * usual_n + 0.375) / (usual_n + 0.75) as {{ float }})))
                    ) / deviation
            else cast(x / n - level as {{ float }}) / (sqrt(cast(variance as {{ float }})) * deviation)
        end as score
    from comparable
)

select
    *,
    cast(round(cast(score as numeric(28, 12)), 9) as {{ float }}) as z
from scored
