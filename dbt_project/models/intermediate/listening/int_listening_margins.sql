{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 0, 'after': 120}},
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: one operator or branch and day: what the plans of its month so far, carried on to its end, buy. Calls in the
-- sample: the sum of pi. Half-width: 1.959964 * sd / sqrt(n / deff), times the square root of 1 - n / N for the part of
-- the calls that is heard; sd of all scores, no gain from the strata assumed; the design effect
-- deff = n * sum(1 / pi) / N^2 is what unequal chances cost (Kish). Calls needed for the wanted half-width e:
-- n0 = deff * (z * sd / e)^2, and n = n0 / (1 + n0 / N).
with
draws as (
    select * from {{ ref('int_listening_draw') }}
    where {{ near_touched_days('business_day', 30, 120) }}
),

daily as (
    {% for level in ['operator', 'branch'] %}
        select
            '{{ level }}' as level,
            {{ level }}_id as unit_id,
            month_start,
            business_day,
            count(*) as calls,
            sum(cast(pi as numeric(28, 9))) as planned,
            sum(1 / nullif(cast(pi as numeric(28, 9)), 0)) as weights,
            max(score_sd) as score_sd
        from draws
        group by {{ level }}_id, month_start, business_day
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

so_far as (
    select
        level,
        unit_id,
        sum(calls) over month_so_far as calls,
        sum(planned) over month_so_far as planned,
        sum(weights) over month_so_far as weights,
        score_sd,
        cast({{ dbt.datediff('month_start', dbt.dateadd('month', 1, 'month_start'), 'day') }} as numeric(9, 3))
        / ({{ dbt.datediff('month_start', 'business_day', 'day') }} + 1) as months,
        business_day
    from daily
    window month_so_far as (
        partition by level, unit_id, month_start
        order by business_day rows between unbounded preceding and current row
    )
),

effects as (
    select
        *,
        greatest(planned * weights / (calls * calls), 1) as design_effect
    from so_far
),

needed as (
    select
        *,
        design_effect * power({{ z_95() }} * score_sd / cast({{ var('listening_margin_points') }} as numeric(9, 3)), 2)
            as calls_without_limit
    from effects
)

select
    level,
    unit_id,
    cast(round(calls * months) as bigint) as month_calls,
    {{ rounded('planned * months', 3) }} as month_planned,
    {{ rounded('design_effect', 3) }} as design_effect,
    {{ rounded(
        z_95() ~ ' * score_sd * sqrt(design_effect * greatest(1 - planned / calls, 0) / nullif(planned * months, 0))', 3
    ) }} as half_width,
    cast(ceil(calls_without_limit / (1 + calls_without_limit / (calls * months))) as bigint) as month_calls_needed,
    business_day
from needed
where {{ in_reach(0, 120) }}
