-- Grain: call that entered no queue: the class of the queue that turned it away, branch and business day.
with
unqueued as (
    select
        *,
        {{ local_date('started_at', default_zone()) }} as day
    from {{ ref('int_unqueued_calls') }}
),

settings as (
    {{ queue_settings_of('unqueued', ['server_id', 'root_id'], 'first_queue', 'started_at') }}
),

placed as (
    select
        unqueued.*,
        settings.topic_class,
        coalesce(settings.branch_id, calls.subscriber_branch_id, {{ default_branch() }}) as branch_id
    from unqueued
    inner join {{ ref('int_calls') }} as calls
        on unqueued.server_id = calls.server_id and unqueued.root_id = calls.root_id
    left join settings
        on unqueued.server_id = settings.server_id and unqueued.root_id = settings.root_id
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
    {{ local_date('placed.started_at', zone_of('branches')) }} as business_day
from placed
left join {{ ref('int_branches') }} as branches
    on placed.branch_id = branches.branch_id and {{ holds_on('branches', 'placed.day') }}
