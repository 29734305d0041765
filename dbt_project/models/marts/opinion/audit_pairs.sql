{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 30, 'after': 0}}
    )
}}
-- An interview can follow the call by weeks, so a day also reads the surveys of the 30 days after it.
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
),

paired as (
    select
        heard.*,
        coalesce(rated.criteria_answered, 0) as criteria_rated,
        rated.rating_mean,
        rated.rating_politeness,
        interviewed.satisfaction,
        interviewed.subscriber_solved,
        coalesce(rated.rating_mean, interviewed.satisfaction) as subscriber_points
    from heard
    left join rated on heard.contact_id = rated.contact_id and heard.operator_id = rated.operator_id
    left join interviewed
        on heard.contact_id = interviewed.contact_id and heard.operator_id = interviewed.operator_id
),

banded as (
    select
        *,
        {{ audit_band('audit_score') }} as audit_band,
        {{ opinion_band('subscriber_points') }} as subscriber_band
    from paired
    where subscriber_points is not null or subscriber_solved is not null
)

select
    contact_id,
    operator_id,
    branch_id,
    topic_id,
    topic_class,
    listeners,
    audit_score,
    audit_score_raw,
    audit_band,
    audit_rude,
    audit_solved,
    criteria_rated,
    {{ rounded('rating_mean') }} as rating_mean,
    rating_politeness,
    {{ rounded('satisfaction') }} as satisfaction,
    {{ rounded('subscriber_points') }} as subscriber_points,
    case when rating_mean is not null then 'quality_line' when satisfaction is not null then 'survey' end
        as subscriber_source,
    subscriber_band,
    subscriber_solved,
    audit_solved = subscriber_solved as is_solved_agreed,
    case
        when audit_band = 'high' and subscriber_band = 'low' then 'high_audit_low_rating'
        when audit_band = 'low' and subscriber_band = 'high' then 'low_audit_high_rating'
    end as disagreement,
    business_day
from banded
where {{ in_reach(30, 0) }}
