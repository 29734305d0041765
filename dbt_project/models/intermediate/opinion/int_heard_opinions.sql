-- Grain: one call and operator that a listener heard and whose subscriber said something of: after the call (quality
-- line) or in an interview within the 30 days after it.
with
heard as (
    select * from {{ ref('int_heard_calls') }} where {{ in_reach(30, 0) }}
),

rated as (
    select
        contact_id,
        operator_id,
        criteria_answered,
        {{ ratio('points_sum', 'criteria_answered') }} as rating_mean,
        case when politeness_answered > 0 then politeness_sum end as rating_politeness
    from {{ ref('int_quality_line_calls') }}
    where contact_id is not null and criteria_answered > 0 and {{ in_reach(30, 0) }}
),

-- Satisfaction is about the call only where the survey is; whether the first contact solved it always is.
answers as (
    select
        *,
        case when ticket_id is null and connection_id is null then satisfaction end as call_satisfaction,
        case
            when ticket_id is null and connection_id is null then coalesce(is_solved, is_first_contact_solved)
            else is_first_contact_solved
        end as call_solved
    from {{ ref('fct_survey_responses') }}
    where is_complete and contact_id is not null and {{ near_touched_days('business_day', 30, 30) }}
),

interviewed as (
    select
        heard.contact_id,
        heard.operator_id,
        {{ ratio('sum(answers.call_satisfaction)', 'count(answers.call_satisfaction)') }} as satisfaction,
        {{ most_say('answers.call_solved') }} as subscriber_solved
    from heard
    inner join answers
        on
            heard.contact_id = answers.contact_id
            and heard.operator_id = answers.operator_id
            and answers.business_day between heard.business_day and {{ add_days('heard.business_day', 30) }}
    group by heard.contact_id, heard.operator_id
)

select
    heard.contact_id,
    heard.operator_id,
    coalesce(rated.criteria_answered, 0) as criteria_rated,
    rated.rating_mean,
    rated.rating_politeness,
    interviewed.satisfaction,
    coalesce(rated.rating_mean, interviewed.satisfaction) as subscriber_points,
    interviewed.subscriber_solved
from heard
left join rated on heard.contact_id = rated.contact_id and heard.operator_id = rated.operator_id
left join interviewed on heard.contact_id = interviewed.contact_id and heard.operator_id = interviewed.operator_id
where coalesce(rated.rating_mean, interviewed.satisfaction) is not null or interviewed.subscriber_solved is not null
