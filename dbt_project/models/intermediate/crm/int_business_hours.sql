{{ config(indexes=[{'columns': ['branch_id', 'day']}]) }}
-- The working day of each branch as instants, and the business minutes that passed before it: minutes between two
-- instants are a difference of two such sums. From the first touched day to the last ticket event.
with
bounds as (
    select
        (
            select min(opened_at) from {{ ref('stg_crm__tickets') }}
            where {{ since_touched('opened_at', 2) }}
        ) as first_at,
        greatest(
            (select max(event_at) from {{ ref('stg_crm__ticket_events') }}), {{ data_until() }}
        ) as last_at
),

days as (
    {{ day_series(
        add_days('(select cast(first_at as date) from bounds)', -2),
        add_days('(select cast(last_at as date) from bounds)', 2)
    ) }}
),

hours as (
    select * from {{ ref('stg_ops__setting_hours') }}
),

holidays as (
    select * from {{ ref('stg_ops__setting_holidays') }}
),

own_hours as (
    select distinct branch_id from hours
),

branch_days as (
    select
        branches.branch_id,
        branches.time_zone,
        days.date_day as day,
        coalesce(own.branch_id, '*') as hours_branch_id
    from {{ ref('int_branches') }} as branches
    inner join days on {{ holds_on('branches', 'days.date_day') }}
    left join own_hours as own on branches.branch_id = own.branch_id
),

closed as (
    select distinct
        branches.branch_id,
        holidays.day
    from holidays
    inner join {{ ref('int_branches') }} as branches on holidays.branch_id in (branches.branch_id, '*')
),

opened as (
    select
        branch_days.branch_id,
        branch_days.day,
        case
            when closed.day is null
                then {{ local_instant('branch_days.day', 'branch_days.time_zone', 'hours.opens_minute') }}
        end as opens_at,
        case
            when closed.day is null
                then {{ local_instant('branch_days.day', 'branch_days.time_zone', 'hours.closes_minute') }}
        end as closes_at
    from branch_days
    left join hours
        on
            branch_days.hours_branch_id = hours.branch_id
            and {{ iso_weekday('branch_days.day') }} = hours.iso_weekday
    left join closed on branch_days.branch_id = closed.branch_id and branch_days.day = closed.day
),

measured as (
    select
        *,
        cast(coalesce({{ seconds_between('opens_at', 'closes_at') }} / 60, 0) as {{ dbt.type_float() }}) as open_minutes
    from opened
)

select
    branch_id,
    day,
    opens_at,
    closes_at,
    open_minutes,
    coalesce(
        sum(open_minutes) over (
            partition by branch_id
            order by day
            rows between unbounded preceding and 1 preceding
        ), 0
    ) as minutes_before
from measured
