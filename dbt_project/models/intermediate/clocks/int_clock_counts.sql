-- Grain: branch (or all) x technology (or all) x clock x month: all clocks in one shape.
with
spans as (
    select
        *,
        finished as seconds_count,
        business_day as month_start
    from {{ ref('int_clock_months') }}
),

answers as (
    select
        *,
        business_day as month_start
    from {{ ref('int_clock_answers_monthly') }}
),

frequencies as (
    select * from {{ ref('int_clock_frequencies') }}
)

{% for rows in ['spans', 'answers', 'frequencies'] %}
    select
        clock,
        branch_id,
        technology,
        month_start,
        {{ clock_counts() | join(', ') }}
    from {{ rows }}
    {{ 'union all' if not loop.last }}
{% endfor %}
