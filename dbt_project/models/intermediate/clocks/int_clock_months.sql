{{
    config(
        materialized='incremental',
        unlogged=false,
        incremental_strategy='replace_days',
        meta={'reach': {'before': 155, 'after': 0}},
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: branch (or all) x technology (or all) x clock x month, whose first day is the business day. A month is final
-- when its last item was watched for 92 days, and the line of its last repair for 30 more: so a touched day reaches 155
-- days back, and older months are not read again.
with
spans as (
    select * from {{ ref('int_clock_spans') }}
    where {{ in_reach(155, 0, 'month_start') }}
),

cells as (
    {{ with_all_cells('spans', ['clock', 'month_start', 'seconds', 'is_excluded', 'is_judged', 'is_finished',
                                'is_within_target', 'is_open_at_month_end', 'is_open_now']) }}
),

valid as (
    select * from cells where not is_excluded
),

{{ fastest_ctes('valid', ['clock', 'branch_id', 'technology', 'month_start']) }},

repeats as (
    select * from {{ ref('int_repeat_faults') }}
    where {{ in_reach(155, 0, 'month_start') }}
),

repeat_cells as (
    {{ with_all_cells('repeats', ['month_start', 'is_repeated']) }}
),

counted as (
    select
        clock,
        branch_id,
        technology,
        month_start,
        {{ count_if('not is_excluded') }} as population,
        {{ count_if('is_excluded') }} as excluded,
        {{ count_if('not is_excluded and not is_judged') }} as not_judged,
        {{ count_if('not is_excluded and is_finished') }} as finished,
        {{ count_if('not is_excluded and is_open_at_month_end') }} as open_at_month_end,
        {{ count_if('not is_excluded and is_open_now') }} as open_now,
        {{ exact_sum('seconds', 'not is_excluded and is_finished') }} as seconds_sum,
        {{ count_if('not is_excluded and is_within_target') }} as numerator,
        {{ count_if('not is_excluded and is_within_target is not null') }} as denominator
    from cells
    group by clock, branch_id, technology, month_start
    union all
    select
        'repeat_faults_30d' as clock,
        branch_id,
        technology,
        month_start,
        count(*) as population,
        0 as excluded,
        0 as not_judged,
        count(is_repeated) as finished,
        null as open_at_month_end,
        null as open_now,
        null as seconds_sum,
        {{ count_if('is_repeated') }} as numerator,
        count(is_repeated) as denominator
    from repeat_cells
    group by branch_id, technology, month_start
)

select
    {% for name in ['clock', 'branch_id', 'technology', 'population', 'excluded', 'not_judged', 'finished',
                    'open_at_month_end', 'open_now', 'seconds_sum'] -%}
        counted.{{ name }},
    {% endfor -%}
    {% for percent in [50, 80, 95, 99] -%}
        cast(fastest.fastest_{{ percent }} as {{ dbt.type_float() }}) as fastest_{{ percent }},
    {% endfor -%}
    counted.numerator,
    counted.denominator,
    counted.month_start as business_day
from counted
left join fastest
    on
        counted.clock = fastest.clock
        and counted.branch_id = fastest.branch_id
        and counted.technology = fastest.technology
        and counted.month_start = fastest.month_start
