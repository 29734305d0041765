-- Grain: branch (or all) x technology (or all) x clock x month: how long calls waited for a human being, over the
-- answered ones and over all that were offered.
{% set sums = ['calls_offered', 'calls_answered', 'wait_seconds_sum', 'wait_seconds_count', 'answered_within_20s'] %}
with
answers as (
    select
        *,
        cast({{ dbt.date_trunc('month', 'business_day') }} as date) as month_start
    from {{ ref('int_clock_answers_daily') }}
),

cells as (
    {{ with_all_cells('answers', ['month_start'] + sums) }}
),

months as (
    select
        branch_id,
        technology,
        {% for name in sums -%}
            {{ sum_of(name) }} as {{ name }},
        {% endfor -%}
        month_start
    from cells
    group by branch_id, technology, month_start
)

{% for clock, population, excluded, denominator in [
    ('response_time', 'calls_answered', 'calls_offered - calls_answered', 'wait_seconds_count'),
    ('response_time_all_calls', 'calls_offered', '0', 'calls_offered'),
] %}
    select
        '{{ clock }}' as clock,
        branch_id,
        technology,
        month_start,
        {{ clock_columns(
            population=population,
            excluded=excluded,
            not_judged='0',
            finished='calls_answered',
            seconds_sum='wait_seconds_sum',
            seconds_count='wait_seconds_count',
            numerator='answered_within_20s',
            denominator=denominator,
        ) }}
    from months
    {{ 'union all' if not loop.last }}
{% endfor %}
