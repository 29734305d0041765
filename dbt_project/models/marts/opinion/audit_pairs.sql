{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 30, 'after': 0}}
    )
}}
-- An interview can follow the call by weeks, so a day also reads the surveys of the 30 days after it.
with
evaluations as (
    select * from {{ ref('fct_evaluations') }}
    where contact_id is not null and operator_id is not null and {{ in_reach(30, 0) }}
),

-- Several listeners of one call: the mean of their scores; solved and rude as most of them say, open where they are even.
heard as (
    select
        contact_id,
        operator_id,
        min(branch_id) as branch_id,
        min(topic_id) as topic_id,
        min(topic_class) as topic_class,
        count(distinct evaluator_id) as listeners,
        avg(cast(score as {{ dbt.type_numeric() }})) as audit_score,
        avg(cast(score_raw as {{ dbt.type_numeric() }})) as audit_score_raw,
        {{ most_say('is_solved') }} as audit_solved,
        {{ most_say('is_rude') }} as audit_rude,
        business_day
    from evaluations
    group by contact_id, operator_id, business_day
),

rated as (
    select
        contact_id,
        operator_id,
        count(*) as criteria_rated,
        avg(cast(rating as {{ dbt.type_numeric() }})) as rating_mean,
        max(case when criterion = 'politeness' then rating end) as rating_politeness
    from {{ ref('fct_ratings') }}
    where contact_id is not null and answer_kind = 'rated' and {{ in_reach(30, 0) }}
    group by contact_id, operator_id
),

-- Satisfaction is about the call where the survey is; whether the first contact solved it is about the call always.
interviewed as (
    select
        heard.contact_id,
        heard.operator_id,
        avg(cast(case when responses.ticket_id is null and responses.connection_id is null
            then responses.satisfaction end as {{ dbt.type_numeric() }})) as satisfaction,
        {{ most_say("case when responses.ticket_id is null and responses.connection_id is null
            then coalesce(responses.is_solved, responses.is_first_contact_solved)
            else responses.is_first_contact_solved end") }} as subscriber_solved
    from heard
    inner join {{ ref('fct_survey_responses') }} as responses
        on
            heard.contact_id = responses.contact_id
            and heard.operator_id = responses.operator_id
            and responses.business_day between heard.business_day and {{ add_days('heard.business_day', 30) }}
    where responses.is_complete and {{ near_touched_days('responses.business_day', 30, 30) }}
    group by heard.contact_id, heard.operator_id
),

paired as (
    select
        heard.*,
        coalesce(rated.criteria_rated, 0) as criteria_rated,
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
    {{ rounded('audit_score') }} as audit_score,
    {{ rounded('audit_score_raw') }} as audit_score_raw,
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
