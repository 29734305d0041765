-- Grain: grain (operator, branch) x window. How far the indexes of units usually lie apart. Who is good at one thing
-- may be good at others: the spread of the scores themselves is the yardstick.
with
scored as (
    select * from {{ ref('int_measure_points') }}
),

limits as (
    select
        grain,
        window_days,
        period_no,
        percentile_cont(0.1) within group (order by cast(z_plain as {{ dbt.type_float() }})) as z_p10,
        percentile_cont(0.9) within group (order by cast(z_plain as {{ dbt.type_float() }})) as z_p90,
        percentile_cont(0.1) within group (order by cast(index_exact as {{ dbt.type_float() }})) as index_p10,
        percentile_cont(0.9) within group (order by cast(index_exact as {{ dbt.type_float() }})) as index_p90
    from scored
    group by grain, window_days, period_no
)

select
    scored.grain,
    scored.window_days,
    scored.period_no,
    greatest({{ winsorised_square('scored.z_plain', 'limits.z_p10', 'limits.z_p90') }}, 1) as dispersion,
    {{ winsorised_square('scored.index_exact', 'limits.index_p10', 'limits.index_p90', 100) }} as usual_variance
from scored
inner join limits
    on
        scored.grain = limits.grain
        and scored.window_days = limits.window_days
        and scored.period_no = limits.period_no
group by scored.grain, scored.window_days, scored.period_no
