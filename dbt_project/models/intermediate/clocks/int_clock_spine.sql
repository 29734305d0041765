-- Grain: branch (or all) x technology (or all) x clock x month: what the clock is, how many days of the month are
-- loaded, and whether its numbers can still change.
with
definitions as (
    select * from {{ ref('int_clock_definitions') }}
),

technologies as (
    select distinct
        branch_id,
        technology
    from {{ ref('int_clock_counts') }}
),

months as (
    select
        *,
        cast({{ dbt.dateadd('month', 1, 'month_start') }} as date) as month_end
    from {{ ref('int_clock_coverage') }}
),

spine as (
    select
        months.branch_id,
        technologies.technology,
        definitions.*,
        months.month_start,
        months.month_end,
        case
            when definitions.domain = 'visits' then months.visits_days
            when definitions.domain = 'tickets' then months.tickets_days
            else months.connections_days
        end as days_loaded
    from months
    inner join technologies on months.branch_id = technologies.branch_id
    cross join definitions
)

select
    branch_id,
    technology,
    clock,
    month_start,
    standard,
    unit,
    unit_seconds,
    rate_of,
    rate_kind,
    case
        when days_loaded = 0 then 'not_loaded'
        when month_end > {{ add_days(as_of_day(), 1) }} then 'running'
        when {{ add_days('month_end', 'followed_days + 1') }} > {{ as_of_day() }} and followed_days > 0 then 'followed'
        else 'final'
    end as status,
    days_loaded,
    cast({{ dbt.datediff('month_start', 'month_end', 'day') }} as bigint) as days_in_month
from spine
