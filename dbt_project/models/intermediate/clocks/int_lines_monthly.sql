-- Lines in service on the last day of each month, of the running one on the as-of day: each version of a subscriber
-- adds one when it begins and takes one away when it ends, so that one pass over the subscribers gives every month.
with
versions as (
    select
        coalesce(branch_id, {{ default_branch() }}) as branch_id,
        coalesce(technology, 'unknown') as technology,
        connected_on,
        left_on,
        {{ local_date('holds_from', default_zone()) }} as held_from,
        {{ local_date('holds_to', default_zone()) }} as held_to
    from {{ ref('int_subscriber_versions') }}
    where connected_on is not null
),

lines as (
    select
        branch_id,
        technology,
        case when held_from > connected_on then held_from else connected_on end as begins,
        case when left_on is null or held_to < left_on then held_to else left_on end as ends
    from versions
),

changes as (
    select
        branch_id,
        technology,
        cast({{ dbt.date_trunc('month', 'begins') }} as date) as month_start,
        1 as lines
    from lines
    where begins <= {{ as_of_day() }} and (ends is null or ends > begins)
    union all
    select
        branch_id,
        technology,
        cast({{ dbt.date_trunc('month', 'ends') }} as date) as month_start,
        -1 as lines
    from lines
    where ends <= {{ as_of_day() }} and ends > begins
),

changed as (
    {{ with_all_cells('changes', ['month_start', 'lines']) }}
),

monthly as (
    select
        branch_id,
        technology,
        month_start,
        sum(lines) as lines
    from changed
    group by branch_id, technology, month_start
),

months as (
    select distinct month_start from {{ ref('int_clock_coverage') }}
)

select
    monthly.branch_id,
    monthly.technology,
    months.month_start,
    cast(sum(monthly.lines) as bigint) as lines
from months
inner join monthly on months.month_start >= monthly.month_start
group by monthly.branch_id, monthly.technology, months.month_start
