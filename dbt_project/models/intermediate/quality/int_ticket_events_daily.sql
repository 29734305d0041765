{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- By the day of the event. The last solution is the one that lasted; a ticket never solved counts when it was closed.
with
events as (
    select * from {{ ref('fct_ticket_events') }} where {{ in_touched_days('business_day') }}
),

-- Each ticket is looked up once, however long ago it was opened.
named as (
    select distinct ticket_id from events
),

tickets as (
    select tickets.*
    from named
    inner join {{ ref('fct_tickets') }} as tickets on named.ticket_id = tickets.ticket_id
),

matched as (
    select
        events.ticket_event_id,
        events.ticket_id,
        events.event,
        events.operator_id,
        events.branch_id,
        events.topic_id,
        events.business_day,
        tickets.first_reply_minutes,
        tickets.first_reply_business_minutes,
        tickets.solution_minutes,
        tickets.solution_business_minutes,
        tickets.is_one_touch,
        tickets.due_at,
        tickets.is_within_target,
        events.event in ('solved', 'closed') and events.event_at = tickets.solved_at as is_solution,
        events.event = 'replied' and events.event_at = tickets.first_reply_at as is_first_reply
    from events
    inner join tickets on events.ticket_id = tickets.ticket_id
),

-- Two events of one instant are one solution: 'solved' before 'closed'.
ranked as (
    select
        *,
        row_number() over (
            partition by ticket_id, is_solution, is_first_reply
            order by event desc, ticket_event_id
        ) as place
    from matched
),

marked as (
    select
        *,
        is_solution and place = 1 as is_the_solution,
        is_first_reply and place = 1 as is_the_first_reply
    from ranked
)

{{ by_grain('marked', ticket_event_measures()) }}
