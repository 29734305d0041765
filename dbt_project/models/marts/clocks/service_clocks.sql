{{ config(materialized='table') }}
-- Small: a few hundred rows a month. What they are made of is read for the months that can change only.
with
spine as (
    select
        *,
        case when days_loaded > 0 then 0 end as none_counted
    from {{ ref('int_clock_spine') }}
),

counts as (
    select * from {{ ref('int_clock_counts') }}
),

measured as (
    select
        spine.*,
        coalesce(counts.population, spine.none_counted) as population,
        {% for name in clock_counts() if name not in ['population', 'numerator', 'denominator'] -%}
            counts.{{ name }},
        {% endfor -%}
        coalesce(counts.numerator, spine.none_counted) as numerator,
        coalesce(counts.denominator, spine.none_counted) as denominator
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
    status,
    days_loaded,
    days_in_month,
    population,
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
