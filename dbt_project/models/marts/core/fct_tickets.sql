{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
tickets as (
    select
        tickets.*,
        history.first_reply_at,
        history.solved_at,
        history.closed_at,
        history.reopened_count,
        history.public_replies,
        {{ local_date('history.first_reply_at', zone_of('branches')) }} as first_reply_day,
        {{ local_date('history.solved_at', zone_of('branches')) }} as solved_day
    from {{ ref('int_tickets') }} as tickets
    inner join {{ ref('int_ticket_history') }} as history on tickets.ticket_id = history.ticket_id
    left join {{ ref('int_branches') }} as branches
        on tickets.branch_id = branches.branch_id and {{ holds_on('branches', 'tickets.business_day') }}
    where {{ in_touched_days('tickets.business_day') }}
),

hours as (
    select * from {{ ref('int_business_hours') }}
)

select
    tickets.ticket_id,
    tickets.contact_id,
    tickets.subscriber_id,
    tickets.branch_id,
    tickets.topic_id,
    tickets.topic_class,
    tickets.kind,
    tickets.channel,
    tickets.priority,
    tickets.operator_id,
    tickets.is_valid_fault,
    tickets.fault_part,
    tickets.outage_id,
    tickets.technology,
    tickets.opened_at,
    tickets.first_reply_at,
    tickets.solved_at,
    tickets.closed_at,
    tickets.reopened_count,
    tickets.public_replies,
    tickets.due_at,
    tickets.status,
    {{ minutes_between('tickets.opened_at', 'tickets.first_reply_at') }}
        as first_reply_minutes,
    {{ business_minutes_between('tickets.opened_at', 'opened', 'tickets.first_reply_at', 'replied') }}
        as first_reply_business_minutes,
    {{ minutes_between('tickets.opened_at', 'tickets.solved_at') }}
        as solution_minutes,
    {{ business_minutes_between('tickets.opened_at', 'opened', 'tickets.solved_at', 'solved') }}
        as solution_business_minutes,
    case when tickets.solved_at is not null then tickets.public_replies = 1 end as is_one_touch,
    case
        when tickets.solved_at is not null then tickets.solved_at <= tickets.due_at
        when tickets.due_at < {{ data_until() }} then false
    end as is_within_target,
    tickets.business_day
from tickets
left join hours as opened on tickets.branch_id = opened.branch_id and tickets.business_day = opened.day
left join hours as replied on tickets.branch_id = replied.branch_id and tickets.first_reply_day = replied.day
left join hours as solved on tickets.branch_id = solved.branch_id and tickets.solved_day = solved.day
