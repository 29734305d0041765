{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- A call that becomes owed on a day is answered for in the days after it: attempts, a ticket opened again, a subscriber
-- who leaves.
with
owed as (
    select * from {{ ref('int_owed_callbacks') }} where {{ in_reach(42, 0) }}
),

known as (
    select
        owed.*,
        results.first_attempt_at,
        results.last_attempt_at,
        results.reached_at,
        results.refused_at,
        results.outcome,
        results.survey_response_id,
        results.is_solved,
        results.satisfaction,
        endings.reopened_at,
        endings.left_at,
        coalesce(results.attempts, case when surveys.span_end is not null then 0 end) as attempts,
        case when surveys.span_end is not null then least(surveys.span_end, {{ data_until() }}) end as answers_until,
        coalesce(owed.expires_at <= crm.span_end and owed.expires_at <= {{ data_until() }}, false)
            as is_reopening_known,
        -- What ends the matter without an interview.
        least(
            coalesce(results.refused_at, endings.reopened_at, endings.left_at),
            coalesce(endings.reopened_at, endings.left_at, results.refused_at),
            coalesce(endings.left_at, results.refused_at, endings.reopened_at)
        ) as ended_at
    from owed
    left join {{ ref('int_callback_results') }} as results on owed.callback_id = results.callback_id
    left join {{ ref('int_callback_endings') }} as endings on owed.callback_id = endings.callback_id
    left join {{ ref('int_source_spans') }} as surveys
        on surveys.source = 'survey' and owed.owed_at >= surveys.span_start and owed.owed_at < surveys.span_end
    left join {{ ref('int_source_spans') }} as crm
        on crm.source = 'crm' and owed.owed_at >= crm.span_start and owed.owed_at < crm.span_end
)

select
    callback_id,
    reason,
    key_moment,
    contact_id,
    ticket_id,
    connection_id,
    subscriber_id,
    branch_id,
    topic_id,
    topic_class,
    operator_id,
    lowest_rating,
    owed_at,
    due_at,
    expires_at,
    attempts,
    first_attempt_at,
    last_attempt_at,
    outcome,
    reached_at,
    survey_response_id,
    is_solved,
    satisfaction,
    reopened_at,
    left_at,
    case when {{ is_about_a_solution('reason') }} and is_reopening_known then reopened_at is not null end
        as is_reopened,
    {{ callback_state() }} as state,
    case
        when answers_until is null or answers_until < due_at then null
        when reached_at <= due_at then true
        when ended_at <= due_at then null
        else false
    end as is_on_time,
    business_day
from known
