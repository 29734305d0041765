{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unlogged=false,
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: one call and operator that a listener heard. Several listeners: the mean of their scores; solved and rude as
-- most of them say, open where they are even.
with
evaluations as (
    select * from {{ ref('fct_evaluations') }}
    where contact_id is not null and operator_id is not null and {{ in_touched_days('business_day') }}
)

select
    contact_id,
    operator_id,
    min(branch_id) as branch_id,
    min(topic_id) as topic_id,
    min(topic_class) as topic_class,
    count(distinct evaluator_id) as listeners,
    {{ rounded('avg(cast(score as ' ~ dbt.type_numeric() ~ '))') }} as audit_score,
    {{ rounded('avg(cast(score_raw as ' ~ dbt.type_numeric() ~ '))') }} as audit_score_raw,
    {{ most_say('is_solved') }} as audit_solved,
    {{ most_say('is_rude') }} as audit_rude,
    business_day
from evaluations
group by contact_id, operator_id, business_day
