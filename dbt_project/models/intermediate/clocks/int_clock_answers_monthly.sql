{{
    config(
        materialized='incremental',
        unlogged=false,
        incremental_strategy='replace_days',
        meta={'reach': {'before': 31, 'after': 0}},
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: branch (or all) x technology (or all) x clock x month, whose first day is the business day: how long
-- calls waited for a human being, over the answered ones and over all that were offered.
{% set sums = ['calls_offered', 'calls_answered', 'wait_seconds_sum', 'wait_seconds_count', 'answered_within_20s'] %}
with
days as (
    select
        *,
        cast({{ dbt.date_trunc('month', 'business_day') }} as date) as month_start
    from {{ ref('int_clock_answers_daily') }}
    where {{ near_touched_days('business_day', 31, 31) }}
),

answers as (
    select * from days where {{ in_reach(31, 0, 'month_start') }}
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
        {{ clock_columns(
            population=population,
            excluded=excluded,
            not_judged='0',
            finished='calls_answered',
            seconds_sum='wait_seconds_sum',
            seconds_count='wait_seconds_count',
            numerator='answered_within_20s',
            denominator=denominator,
        ) }},
        month_start as business_day
    from months
    {{ 'union all' if not loop.last }}
{% endfor %}
