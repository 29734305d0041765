-- Branch, class and limits of queues. Validity is in local days of the queue's own branch, here as instants.
with
settings as (
    select * from {{ ref('stg_ops__setting_queues') }}
),

branches as (
    select * from {{ ref('int_branches') }}
),

zoned as (
    select
        settings.*,
        {{ zone_of('branches') }} as time_zone
    from settings
    left join branches on settings.branch_id = branches.branch_id and {{ holds_on('branches', 'settings.valid_from') }}
)

select
    server_id,
    queue,
    branch_id,
    topic_class,
    service_level_seconds,
    short_abandon_seconds,
    {{ local_instant('valid_from', 'time_zone') }} as valid_from_at,
    {{ local_instant('valid_to', 'time_zone') }} as valid_to_at
from zoned
