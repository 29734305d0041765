{{
    config(
        materialized='incremental',
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
    {{ with_all_cells('spans') }}
),

items as (
    select
        clock,
        cell_branch_id as branch_id,
        cell_technology as technology,
        month_start,
        seconds,
        is_finished
    from cells
    where not is_excluded
),

{{ fastest_ctes('items', ['clock', 'branch_id', 'technology', 'month_start']) }},

counted as (
    select
        clock,
        cell_branch_id as branch_id,
        cell_technology as technology,
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
    group by clock, cell_branch_id, cell_technology, month_start
),

repeats as (
    select * from {{ ref('int_repeat_faults') }}
    where {{ in_reach(155, 0, 'month_start') }}
),

repeat_cells as (
    {{ with_all_cells('repeats') }}
)

select
    counted.clock,
    counted.branch_id,
    counted.technology,
    counted.population,
    counted.excluded,
    counted.not_judged,
    counted.finished,
    counted.open_at_month_end,
    counted.open_now,
    counted.seconds_sum,
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
union all
select
    'repeat_faults_30d' as clock,
    cell_branch_id as branch_id,
    cell_technology as technology,
    count(*) as population,
    0 as excluded,
    0 as not_judged,
    count(is_repeated) as finished,
    null as open_at_month_end,
    null as open_now,
    null as seconds_sum,
    {% for percent in [50, 80, 95, 99] -%}
    null as fastest_{{ percent }},
    {% endfor -%}
    {{ count_if('is_repeated') }} as numerator,
    count(is_repeated) as denominator,
    month_start as business_day
from repeat_cells
group by cell_branch_id, cell_technology, month_start
