-- Grain: branch x week x section x item, of the weeks that the review writes: what the up to eight weeks before it that
-- were loaded wholly say: the mean of an observation, its variance, and by how much more than chance the weeks differ
-- (over-dispersion: mean squared deviation of the weeks over what chance explains).
with
-- A number for each row: eight weeks of hundreds of them are put together by it instead of by three texts and a day.
measures as (
    select
        *,
        row_number() over (order by branch_id, section, item, week_start) as measure_no
    from {{ ref('int_review_measures') }}
    where {{ in_reach(48, 127, 'week_start') }}
),

weeks as (
    select * from {{ ref('int_review_weeks') }}
    where is_complete
),

-- One row for each of the weeks before: a range would be compared with all weeks there are.
asked as (
    {% for back in range(1, review_weeks() + 1) -%}
        select
            measure_no,
            branch_id,
            section,
            item,
            kind,
            {{ add_days('week_start', -7 * back) }} as before_week
        from measures
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

pairs as (
    select
        asked.measure_no,
        asked.kind,
        coalesce(before.n, 1) as n,
        coalesce(before.x, 0) as x,
        coalesce(before.x2, 0) as x2
    from asked
    inner join weeks on asked.branch_id = weeks.branch_id and asked.before_week = weeks.week_start
    left join {{ ref('int_review_measures') }} as before
        on
            asked.branch_id = before.branch_id
            and asked.section = before.section
            and asked.item = before.item
            and asked.before_week = before.week_start
    where asked.kind = 'count' or before.n > 0
),

levels as (
    select
        measure_no,
        count(*) as weeks,
        sum(n) as n,
        sum(x) / sum(n) as level,
        case min(kind)
            when 'count' then sum(x) / sum(n)
            when 'rate' then sum(x) / sum(n) * (1 - sum(x) / sum(n))
            else (sum(x2) - sum(x) * sum(x) / sum(n)) / nullif(sum(n) - 1, 0)
        end as variance
    from pairs
    group by measure_no
),

spreads as (
    select
        levels.measure_no,
        sum(pairs.n * (pairs.x / pairs.n - levels.level) * (pairs.x / pairs.n - levels.level)) as deviations
    from levels
    inner join pairs on levels.measure_no = pairs.measure_no
    group by levels.measure_no
)

select
    measures.branch_id,
    measures.section,
    measures.item,
    measures.week_start,
    levels.weeks,
    levels.n,
    levels.level,
    levels.variance,
    cast(
        spreads.deviations / nullif(levels.variance * nullif(levels.weeks - 1, 0), 0) as numeric(28, 12)
    ) as spread
from levels
inner join spreads on levels.measure_no = spreads.measure_no
inner join measures on levels.measure_no = measures.measure_no
