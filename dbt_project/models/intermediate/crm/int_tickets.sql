{{ config(indexes=[{'columns': ['ticket_id']}], pre_hook="{{ days_by_bitmaps(or_whole=true) }}") }}
-- Tickets opened on the touched days and after, with contact, branch, topic and business day: a ticket can be opened
-- from a call of days ago, and tells then what that call was about.
with
tickets as (
    select
        *,
        {{ local_date('opened_at', default_zone()) }} as day
    from {{ ref('stg_crm__tickets') }}
    where {{ since_touched('opened_at', 1) }}
),

-- A call id that two servers share, with no server named: the call nearest to the ticket.
calls as (
    select
        tickets.ticket_id,
        calls.contact_id,
        calls.branch_id,
        row_number() over (
            partition by tickets.ticket_id
            order by abs({{ seconds_between('calls.started_at', 'tickets.opened_at') }}), calls.contact_id
        ) as call_rank
    from tickets
    inner join {{ ref('int_contact_calls') }} as calls
        on
            tickets.call_id = calls.call_id
            and (tickets.server_id is null or tickets.server_id = calls.server_id)
),

placed as (
    select
        tickets.*,
        calls.contact_id as call_contact_id,
        coalesce(
            tickets.branch_id, calls.branch_id, subscribers.branch_id, {{ default_branch() }}
        ) as placed_branch_id,
        subscribers.technology,
        subscribers.phone_hash
    from tickets
    left join calls on tickets.ticket_id = calls.ticket_id and calls.call_rank = 1
    left join {{ ref('int_subscriber_versions') }} as subscribers
        on tickets.subscriber_id = subscribers.subscriber_id and {{ holds_on('subscribers', 'tickets.opened_at') }}
),

dated as (
    select
        placed.*,
        {{ local_date('placed.opened_at', zone_of('branches')) }}
            as business_day
    from placed
    left join {{ ref('int_branches') }} as branches
        on placed.placed_branch_id = branches.branch_id and {{ holds_on('branches', 'placed.day') }}
)

select
    dated.ticket_id,
    dated.call_contact_id,
    coalesce(dated.call_contact_id, 'ticket:' || dated.ticket_id) as contact_id,
    dated.subscriber_id,
    dated.phone_hash,
    dated.technology,
    dated.placed_branch_id as branch_id,
    dated.topic_id as topic_id_as_noted,
    coalesce(topics.topic_id, 'unmapped') as topic_id,
    topics.topic_class,
    dated.kind,
    dated.channel,
    dated.priority,
    dated.operator_id,
    dated.is_valid_fault,
    dated.fault_part,
    dated.outage_id,
    dated.opened_at,
    dated.due_at,
    dated.status,
    dated.business_day
from dated
left join {{ ref('int_topics') }} as topics
    on dated.topic_id = topics.topic_id and {{ holds_on('topics', 'dated.business_day') }}
