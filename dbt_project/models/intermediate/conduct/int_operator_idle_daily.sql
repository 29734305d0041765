{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unlogged=false,
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: operator x queue x part of the day, on a day, with the size of the queue's team that day and its load.
-- How long operators were free after a call while somebody waited in the queue they had just served; notes after the
-- call count as free, because no log shows them.
with
gaps as (
    select * from {{ ref('int_call_gaps') }}
),

teams as (
    select
        server_id,
        queue,
        business_day,
        count(distinct operator_id) as operators,
        floor(cast(count(*) as numeric(28, 6)) / count(distinct operator_id) / 5) * 5 as load
    from gaps
    group by server_id, queue, business_day
),

placed as (
    select
        gaps.*,
        idle.idle_seconds,
        {{ hour_band(local_hour('gaps.since', zone_of('branches'))) }} as hour_band,
        case when teams.operators <= 1 then '1' when teams.operators <= 3 then '2-3' else '4+' end as team_band,
        case
            when teams.load < 10 then 'below 10'
            when teams.load >= 30 then '30 and more'
            else {{ whole_number_text('teams.load') }} || ' and more'
        end as load_band
    from gaps
    inner join {{ ref('int_call_gap_waits') }} as idle on gaps.queue_visit_id = idle.queue_visit_id
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
    load_band,
    count(*) as gaps,
    sum(idle_seconds) as idle_seconds,
    sum(idle_seconds * idle_seconds) as idle_seconds_squared,
    max(idle_seconds) as longest_seconds,
    business_day
from placed
where {{ in_touched_days('business_day') }}
group by operator_id, server_id, queue, hour_band, team_band, load_band, business_day
