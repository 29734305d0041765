{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- A state is followed to the end of the local day after its beginning: what never ends in the log is no week of work.
with
changes as (
    select
        *,
        min(case when not is_begin then event_at end) over (
            partition by operator_id, server_id, state, queue
            order by log_seq
            rows between 1 following and unbounded following
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
),

ordered as (
    select
        *,
        max(ended_at) over (
            partition by operator_id, state, business_day
            order by started_at, ended_at
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from parts
    where ended_at > started_at and {{ in_touched_days('business_day') }}
),

islands as (
    select
        *,
        sum(case when started_at <= reached_at then 0 else 1 end) over (
            partition by operator_id, state, business_day
            order by started_at, ended_at
            rows between unbounded preceding and current row
        ) as island_no
    from ordered
),

united as (
    select
        operator_id,
        min(branch_id) as branch_id,
        state,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        bool_or(is_open) as is_open,
        business_day,
        island_no
    from islands
    group by operator_id, state, business_day, island_no
),

reasons as (
    select
        *,
        row_number() over (
            partition by operator_id, state, business_day, island_no
            order by reason is null, started_at, reason
        ) as reason_rank
    from islands
)

select
    united.operator_id || '|' || united.state || '|' || {{ whole_number_text(epoch_seconds('united.started_at')) }}
        as operator_state_id,
    united.operator_id,
    united.branch_id,
    united.state,
    reasons.reason,
    united.started_at,
    united.ended_at,
    {{ whole_seconds('united.started_at', 'united.ended_at') }} as seconds,
    united.is_open,
    united.business_day
from united
inner join reasons
    on
        united.operator_id = reasons.operator_id
        and united.state = reasons.state
        and united.business_day = reasons.business_day
        and united.island_no = reasons.island_no
        and reasons.reason_rank = 1
