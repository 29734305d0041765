{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- Grain: operator x queue x part of the day x size of the team, on a day. How long operators were free after a call
-- while somebody waited in the queue they had just served. The queue's time with a waiting caller is added up from
-- midnight to each end of a gap (one sweep over sorted instants, no pairing of calls); the difference is the gap's.
with
gaps as (
    select * from {{ ref('int_call_gaps') }}
),

-- A caller waits until the phone rings at the one who takes the call.
waits as (
    select
        server_id,
        queue,
        business_day,
        entered_at as started_at,
        coalesce({{ add_seconds('answered_at', '-coalesce(ring_seconds, 0)') }}, ended_at) as ended_at
    from {{ ref('fct_queue_visits') }}
    where {{ in_touched_days('business_day') }}
),

ordered as (
    select
        *,
        max(ended_at) over (
            partition by server_id, queue, business_day
            order by started_at, ended_at
            rows between unbounded preceding and 1 preceding
        ) as reached_at
    from waits
    where ended_at > started_at
),

-- What each wait adds to the time in which somebody waited.
stretches as (
    select
        server_id,
        queue,
        business_day,
        {{ epoch_seconds('greatest(started_at, coalesce(reached_at, started_at))') }} as started,
        {{ epoch_seconds('ended_at') }} as ended
    from ordered
    where reached_at is null or ended_at > reached_at
),

instants as (
    select
        server_id,
        queue,
        business_day,
        started as at,
        started,
        ended,
        coalesce(sum(ended - started) over (
            partition by server_id, queue, business_day
            order by started
            rows between unbounded preceding and 1 preceding
        ), 0) as before,
        null as queue_visit_id,
        0 as is_end
    from stretches
    {% for edge in ['since', 'until'] -%}
    union all
    select
        server_id, queue, business_day, {{ epoch_seconds(edge) }}, null, null, null, queue_visit_id, {{ loop.index0 }}
    from gaps
    {% endfor %}
),

swept as (
    select
        queue_visit_id,
        is_end,
        coalesce(
            max(before) over so_far + least(at, max(ended) over so_far) - max(started) over so_far, 0
        ) as waited
    from instants
    window so_far as (
        partition by server_id, queue, business_day
        order by at, is_end, queue_visit_id nulls first
        rows between unbounded preceding and current row
    )
),

idle as (
    select
        queue_visit_id,
        round(max(waited) - min(waited), 3) as idle_seconds
    from swept
    where queue_visit_id is not null
    group by queue_visit_id
),

teams as (
    select
        server_id,
        queue,
        business_day,
        count(distinct operator_id) as operators
    from gaps
    group by server_id, queue, business_day
),

placed as (
    select
        gaps.*,
        idle.idle_seconds,
        {{ hour_band(local_hour('gaps.since', zone_of('branches'))) }} as hour_band,
        case when teams.operators <= 1 then '1' when teams.operators <= 3 then '2-3' else '4+' end as team_band
    from gaps
    inner join idle on gaps.queue_visit_id = idle.queue_visit_id
    inner join teams
        on gaps.server_id = teams.server_id and gaps.queue = teams.queue and gaps.business_day = teams.business_day
    left join {{ ref('int_branches') }} as branches
        on gaps.branch_id = branches.branch_id and {{ holds_on('branches', 'gaps.business_day') }}
)

select
    operator_id,
    server_id,
    queue,
    hour_band,
    team_band,
    count(*) as gaps,
    sum(idle_seconds) as idle_seconds,
    sum(idle_seconds * idle_seconds) as idle_seconds_squared,
    max(idle_seconds) as longest_seconds,
    business_day
from placed
group by operator_id, server_id, queue, hour_band, team_band, business_day
