{{ config(materialized='view') }}
-- Grain: opinion x measure, within 90 days: ratings after the call, call-back interviews, listened calls. The setting
-- is what the opinion depends on beside the contact: which question was asked, which listener scored by which form.
with
ratings as (
    select * from {{ ref('fct_ratings') }}
    where {{ in_last_days('business_day', 90) }} and rating is not null
),

-- An order to connect was not handled by an operator; of a repair an operator answers for the first contact only.
surveys as (
    select
        *,
        case
            when is_first_contact_solved is not null then 'first contact'
            when survey_kind = 'general' and is_solved is not null then 'solved'
        end as asked_of_operator
    from {{ ref('fct_survey_responses') }}
    where {{ in_last_days('business_day', 90) }} and is_complete
),

evaluations as (
    select
        *,
        evaluator_id || ' by ' || coalesce(form_id, '') || ' ' || coalesce(form_version, '') as setting
    from {{ ref('fct_evaluations') }}
    where {{ in_last_days('business_day', 90) }}
)

{% for measure, criterion in [('low_service_quality', 'service_quality'), ('low_politeness', 'politeness')] -%}
    select
        '{{ measure }}' as measure,
        contact_id,
        operator_id,
        branch_id,
        topic_id,
        cast(null as {{ dbt.type_string() }}) as setting,
        {{ outcome_of('rating <= 3') }} as x,
        business_day
    from ratings
    where criterion = '{{ criterion }}'
    union all
{% endfor -%}
select
    'not_solved_at_first' as measure,
    contact_id,
    operator_id,
    branch_id,
    topic_id,
    asked_of_operator as setting,
    {{ outcome_of('not coalesce(is_first_contact_solved, is_solved)') }} as x,
    business_day
from surveys
where asked_of_operator is not null
union all
select
    'survey_not_solved' as measure,
    contact_id,
    operator_id,
    branch_id,
    topic_id,
    survey_kind as setting,
    {{ outcome_of('not is_solved') }} as x,
    business_day
from surveys
where is_solved is not null
{% for measure, x, known in [
    ('evaluation_score', 'cast(round(cast(score_raw as numeric(28, 12)), 6) as numeric(28, 6))', 'score_raw'),
    ('rude_tone', outcome_of('is_rude'), 'is_rude'),
    ('fatal_errors', outcome_of('fatal_errors > 0'), 'fatal_errors'),
] -%}
    union all
    select
        '{{ measure }}' as measure,
        contact_id,
        operator_id,
        branch_id,
        topic_id,
        setting,
        {{ x }} as x,
        business_day
    from evaluations
    where {{ known }} is not null
{% endfor %}
