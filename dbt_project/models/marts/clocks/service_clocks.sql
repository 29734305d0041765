{{ config(materialized='table') }}
-- Small: a few hundred rows a month. What they are made of is read for the months that can change only.
with
definitions as (
    select * from {{ ref('int_clock_definitions') }}
),

counts as (
    select * from {{ ref('int_clock_counts') }}
),

technologies as (
    select distinct
        branch_id,
        technology
    from counts
),

spine as (
    select
        coverage.branch_id,
        technologies.technology,
        definitions.*,
        coverage.month_start,
        cast({{ dbt.dateadd('month', 1, 'coverage.month_start') }} as date) as month_end,
        case
            when definitions.domain = 'visits' then coverage.visits_days
            when definitions.domain = 'tickets' then coverage.tickets_days
            else coverage.connections_days
        end as days_loaded
    from {{ ref('int_clock_coverage') }} as coverage
    inner join technologies on coverage.branch_id = technologies.branch_id
    cross join definitions
),

measured as (
    select
        spine.*,
        counts.population,
        counts.excluded,
        counts.not_judged,
        counts.finished,
        counts.open_at_month_end,
        counts.open_now,
        counts.seconds_sum,
        counts.seconds_count,
        counts.fastest_50,
        counts.fastest_80,
        counts.fastest_95,
        counts.fastest_99,
        case when spine.days_loaded > 0 or counts.clock is not null then coalesce(counts.numerator, 0) end as numerator,
        case when spine.days_loaded > 0 or counts.clock is not null then coalesce(counts.denominator, 0) end
            as denominator,
        counts.clock is not null as is_counted
    from spine
    left join counts
        on
            spine.clock = counts.clock
            and spine.branch_id = counts.branch_id
            and spine.technology = counts.technology
            and spine.month_start = counts.month_start
)

select
    branch_id,
    technology,
    clock,
    month_start,
    standard,
    unit,
    case
        when days_loaded = 0 then 'not_loaded'
        when month_end > {{ add_days(as_of_day(), 1) }} then 'running'
        when {{ add_days('month_end', 'followed_days + 1') }} > {{ as_of_day() }} and followed_days > 0 then 'followed'
        else 'final'
    end as status,
    days_loaded,
    cast({{ dbt.datediff('month_start', 'month_end', 'day') }} as bigint) as days_in_month,
    case when days_loaded > 0 or is_counted then coalesce(population, 0) end as population,
    excluded,
    not_judged,
    finished,
    open_at_month_end,
    open_now,
    {{ rounded('seconds_sum / nullif(seconds_count, 0) / unit_seconds', 6) }} as mean_of_finished,
    {% for percent in [50, 80, 95, 99] -%}
        {{ rounded('fastest_' ~ percent ~ ' / unit_seconds', 6) }} as fastest_{{ percent }},
    {% endfor -%}
    rate_of,
    numerator,
    denominator,
    case
        when rate_kind = 'share' then {{ ratio('numerator', 'denominator') }}
        else {{ ratio('100 * numerator', 'denominator') }}
    end as rate,
    case
        when rate_kind = 'share' then {{ wilson_low('numerator', 'denominator') }}
        else 100 * {{ poisson_low('numerator') }} / nullif(denominator, 0)
    end as rate_low,
    case
        when rate_kind = 'share' then {{ wilson_high('numerator', 'denominator') }}
        else 100 * {{ poisson_high('numerator') }} / nullif(denominator, 0)
    end as rate_high
from measured
