-- Grain: branch ('*': all) x week x item, near the touched days: seconds waited in queues, by all who waited to an end:
-- of the branch as a whole (answered visits), and by queue and local hour.
with
visits as (
    select
        visits.branch_id,
        {{ local_hour('visits.entered_at', zone_of('branches')) }} as local_hour,
        visits.queue,
        visits.outcome = 'answered' as is_answered,
        cast(visits.wait_seconds as numeric(28, 6)) as wait_seconds,
        visits.business_day
    from {{ ref('fct_queue_visits') }} as visits
    left join {{ ref('int_branches') }} as branches
        on visits.branch_id = branches.branch_id and {{ holds_on('branches', 'visits.business_day') }}
    where
        {{ near_touched_days('visits.business_day', 111, 133) }}
        and visits.wait_seconds is not null and visits.outcome <> 'open'
),

named as (
    select
        *,
        queue || ' ' || lpad(cast(local_hour as {{ dbt.type_string() }}), 2, '0') || ':00' as queue_hour
    from visits
),

waits as (
    {{ by_branch_and_all('named', 'queue_hour,\n    is_answered,\n    wait_seconds') }}
),

answered as (
    select * from waits where is_answered
)

{{ review_measure('answered', 'kpi', "'wait_seconds_mean'", 'mean', 'high', 'count(*)', 'sum(wait_seconds)',
    'sum(wait_seconds * wait_seconds)') }}
union all
{{ review_measure('waits', 'worst_waits', 'queue_hour', 'mean', 'high', 'count(*)', 'sum(wait_seconds)',
    'sum(wait_seconds * wait_seconds)') }}
