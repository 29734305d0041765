-- Every begin of a pause or login cut at local midnight, one row per begin and day it lasts into. It is followed to the
-- end of the local day after its beginning: what never ends in the log is no week of work.
with
-- The next end, counted from behind: a frame that loses rows would be added up anew for each of them.
changes as (
    select
        *,
        min(case when not is_begin then event_at end) over (
            partition by operator_id, server_id, state, queue
            order by log_seq desc
            rows between unbounded preceding and 1 preceding
        ) as end_at
    from {{ ref('int_state_changes') }}
),

begins as (
    select
        changes.*,
        coalesce(operator_branches.branch_id, {{ default_branch() }}) as branch_id
    from changes
    left join {{ ref('int_operator_branches') }} as operator_branches
        on
            changes.operator_id = operator_branches.operator_id
            and {{ holds_on('operator_branches', local_date('changes.event_at', default_zone())) }}
    where changes.is_begin
),

zoned as (
    select
        begins.*,
        {{ zone_of('branches') }} as time_zone,
        {{ local_date('begins.event_at', zone_of('branches')) }} as first_day
    from begins
    left join {{ ref('int_branches') }} as branches
        on
            begins.branch_id = branches.branch_id
            and {{ holds_on('branches', local_date('begins.event_at', default_zone())) }}
),

days as (
    {% for later in [0, 1] %}
        select
            zoned.*,
            {{ add_days('first_day', later) }} as business_day
        from zoned
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

parts as (
    select
        operator_id,
        branch_id,
        state,
        reason,
        greatest(event_at, {{ local_instant('business_day', 'time_zone') }}) as started_at,
        least(
            end_at, {{ local_instant(add_days('business_day', 1), 'time_zone') }}, {{ data_until() }}
        ) as ended_at,
        end_at is null
        and {{ local_instant(add_days('business_day', 1), 'time_zone') }} > {{ data_until() }} as is_open,
        business_day
    from days
)

select * from parts
where ended_at > started_at
