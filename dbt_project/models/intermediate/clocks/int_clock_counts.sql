-- All clocks of all months in one shape: from the months of spans, the sums of answered calls, and counts over lines.
with
spans as (
    select
        clock,
        branch_id,
        technology,
        business_day as month_start,
        population,
        excluded,
        not_judged,
        finished,
        open_at_month_end,
        open_now,
        seconds_sum,
        finished as seconds_count,
        fastest_50,
        fastest_80,
        fastest_95,
        fastest_99,
        numerator,
        denominator
    from {{ ref('int_clock_months') }}
),

answers as (
    select
        *,
        cast({{ dbt.date_trunc('month', 'business_day') }} as date) as month_start
    from {{ ref('int_clock_answers_daily') }}
),

answer_cells as (
    {{ with_all_cells('answers') }}
),

answered as (
    select
        cell_branch_id as branch_id,
        cell_technology as technology,
        month_start,
        {% for name in ['calls_offered', 'calls_answered', 'wait_seconds_sum', 'wait_seconds_count',
                        'answered_within_20s'] -%}
        {{ sum_of(name) }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor -%}
    from answer_cells
    group by cell_branch_id, cell_technology, month_start
),

-- Reports can come from lines nobody knows: they are counted, and have no frequency.
reported as (
    select
        branch_id,
        technology,
        month_start
    from {{ ref('int_lines_monthly') }}
    union
    select
        branch_id,
        technology,
        month_start
    from spans
    where clock in ('fault_repair_all', 'complaint_resolution')
)

select * from spans
{% for clock, denominator in [('response_time', 'wait_seconds_count'), ('response_time_all_calls', 'calls_offered')] -%}
union all
select
    '{{ clock }}' as clock,
    branch_id,
    technology,
    month_start,
    {{ 'calls_answered' if clock == 'response_time' else 'calls_offered' }} as population,
    {{ 'calls_offered - calls_answered' if clock == 'response_time' else '0' }} as excluded,
    0 as not_judged,
    calls_answered as finished,
    null as open_at_month_end,
    null as open_now,
    wait_seconds_sum as seconds_sum,
    wait_seconds_count as seconds_count,
    null as fastest_50,
    null as fastest_80,
    null as fastest_95,
    null as fastest_99,
    answered_within_20s as numerator,
    {{ denominator }} as denominator
from answered
{% endfor -%}
{% for clock, source in [('fault_report_rate', 'fault_repair_all'), ('complaint_frequency', 'complaint_resolution')] -%}
union all
select
    '{{ clock }}' as clock,
    reported.branch_id,
    reported.technology,
    reported.month_start,
    coalesce(spans.population, 0) as population,
    coalesce(spans.excluded, 0) as excluded,
    coalesce(spans.not_judged, 0) as not_judged,
    null as finished,
    null as open_at_month_end,
    null as open_now,
    null as seconds_sum,
    null as seconds_count,
    null as fastest_50,
    null as fastest_80,
    null as fastest_95,
    null as fastest_99,
    coalesce(spans.population - spans.not_judged, 0) as numerator,
    coalesce(lines.lines, 0) as denominator
from reported
left join {{ ref('int_lines_monthly') }} as lines
    on
        reported.branch_id = lines.branch_id
        and reported.technology = lines.technology
        and reported.month_start = lines.month_start
left join spans
    on
        spans.clock = '{{ source }}'
        and reported.branch_id = spans.branch_id
        and reported.technology = spans.technology
        and reported.month_start = spans.month_start
{% endfor -%}
