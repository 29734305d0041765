-- Grain: call from outside that never entered a queue: turned away by one (full, empty, closed) or gone in the menu
-- before. The caller is the first that is known; the queue the first that turned the call away, else the first named.
with
ordered as (
    select
        *,
        row_number() over (
            partition by server_id, root_id
            order by caller_hash is null, start_at, log_seq
        ) as caller_rank,
        row_number() over (
            partition by server_id, root_id
            order by is_turned_away and queue is not null desc, queue is null, start_at, log_seq
        ) as queue_rank
    from {{ ref('int_unqueued_signs') }}
),

summed as (
    select
        server_id,
        root_id,
        min(start_at) as started_at,
        max(end_at) as ended_at,
        max(case when caller_rank = 1 then caller_hash end) as caller_hash,
        max(case when queue_rank = 1 then queue end) as first_queue,
        bool_or(is_turned_away) as is_turned_away,
        bool_or(is_put_through) as is_put_through,
        bool_or(is_in_menu) as is_in_menu,
        bool_or(is_inbound) as is_inbound
    from ordered
    group by server_id, root_id
)

select
    server_id,
    root_id,
    started_at,
    ended_at,
    caller_hash,
    first_queue,
    case when is_turned_away then 'turned_away' else 'left_in_menu' end as outcome
from summed
where is_inbound and (is_turned_away or (is_in_menu and not is_put_through))
