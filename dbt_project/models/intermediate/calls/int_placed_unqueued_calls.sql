-- Calls that entered no queue with the class of the queue that turned them away, branch and business day, one row each.
with
unqueued as (
    select
        calls.*,
        {{ local_date('calls.started_at', default_zone()) }} as day,
        settings.topic_class,
        settings.branch_id as queue_branch_id,
        row_number() over (
            partition by calls.server_id, calls.root_id
            order by case when settings.server_id = '*' then 1 else 0 end, settings.valid_from_at desc nulls last
        ) as setting_rank
    from {{ ref('int_unqueued_calls') }} as calls
    left join {{ ref('int_queue_settings') }} as settings
        on
            calls.first_queue = settings.queue
            and settings.server_id in (calls.server_id, '*')
            and calls.started_at >= settings.valid_from_at
            and (settings.valid_to_at is null or calls.started_at < settings.valid_to_at)
),

placed as (
    select
        unqueued.*,
        coalesce(
            unqueued.queue_branch_id, calls.subscriber_branch_id, {{ default_branch() }}
        ) as branch_id
    from unqueued
    inner join {{ ref('int_calls') }} as calls
        on unqueued.server_id = calls.server_id and unqueued.root_id = calls.root_id
    where unqueued.setting_rank = 1
)

select
    'call:' || placed.server_id || ':' || placed.root_id as contact_id,
    placed.server_id,
    placed.root_id,
    placed.started_at,
    placed.ended_at,
    placed.branch_id,
    placed.first_queue,
    placed.topic_class as queue_class,
    placed.outcome,
    {{ local_date('placed.started_at', zone_of('branches')) }}
        as business_day
from placed
left join {{ ref('int_branches') }} as branches
    on placed.branch_id = branches.branch_id and {{ holds_on('branches', 'placed.day') }}
