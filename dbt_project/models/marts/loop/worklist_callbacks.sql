{{ config(materialized='table') }}
with
known as (
    select
        subjects.*,
        tickets.reopened_count as ticket_reopenings
    from {{ ref('int_callback_subjects') }} as subjects
    left join {{ ref('fct_tickets') }} as tickets on subjects.ticket_id = tickets.ticket_id
),

judged as (
    select
        *,
        due_at <= {{ data_until() }} as is_overdue,
        case when reason = 'past_target' then 1 else 0 end
        + case when lowest_rating <= {{ var('callback_low_rating') }} then 1 else 0 end
        + case when ticket_reopenings > 0 then 1 else 0 end
        + case when not_solved_before > 0 then 1 else 0 end
        + case when contacts_30d >= 3 then 1 else 0 end as risk_signs
    from known
),

ordered as (
    select
        *,
        case
            when is_overdue and risk_signs > 0 then 1
            when is_overdue then 2
            when risk_signs > 0 then 3
            else 4
        end as priority,
        -- Nobody is called twice: what one subscriber is owed stands together, at the place of the most urgent.
        coalesce('subscriber|' || subscriber_id, callback_id) as person
    from judged
),

grouped as (
    select
        *,
        count(*) over (partition by person) as owed_together,
        min(priority) over (partition by person) as person_priority,
        max(risk_signs) over (partition by person) as person_signs,
        min(due_at) over (partition by person) as person_due_at
    from ordered
)

select
    row_number() over (
        order by person_priority, person_signs desc, person_due_at, person, priority, due_at, callback_id
    ) as place,
    callback_id,
    priority,
    is_overdue,
    risk_signs,
    reason,
    key_moment,
    subscriber_id,
    owed_together,
    branch_id,
    topic_id,
    topic_class,
    operator_id,
    contact_id,
    ticket_id,
    connection_id,
    owed_at,
    due_at,
    expires_at,
    attempts,
    last_attempt_at,
    last_outcome,
    lowest_rating,
    ticket_reopenings,
    not_solved_before,
    contacts_30d,
    last_comment,
    {{ as_of_day() }} as as_of_day
from grouped
