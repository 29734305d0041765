-- Grain: one gap after an answered call of the touched days: how long in it somebody waited in the queue just served.
-- The queue's time with a waiting caller is added up from midnight to each end of a gap (one sweep over sorted
-- instants, no pairing of calls); the difference of the two is the gap's.
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
            server_id,
            queue,
            business_day,
            {{ epoch_seconds(edge) }} as at,
            null as started,
            null as ended,
            null as before,
            queue_visit_id,
            {{ loop.index0 }} as is_end
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
)

select
    queue_visit_id,
    round(max(waited) - min(waited), 3) as idle_seconds
from swept
where queue_visit_id is not null
group by queue_visit_id
