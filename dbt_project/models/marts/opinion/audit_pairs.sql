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

opinions as (
    select * from {{ ref('int_heard_opinions') }}
),

banded as (
    select
        heard.*,
        opinions.criteria_rated,
        opinions.rating_mean,
        opinions.rating_politeness,
        opinions.satisfaction,
        opinions.subscriber_points,
        opinions.subscriber_solved,
        {{ audit_band('heard.audit_score') }} as audit_band,
        {{ opinion_band('opinions.subscriber_points') }} as subscriber_band
    from heard
    inner join opinions on heard.contact_id = opinions.contact_id and heard.operator_id = opinions.operator_id
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
