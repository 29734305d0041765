-- Grain: one owed call-back that was tried. The last interview that says whether it is solved has the last word.
with
attempts as (
    select
        *,
        row_number() over (
            partition by callback_id
            order by attempted_at desc, survey_response_id desc
        ) as last_place,
        row_number() over (
            partition by callback_id
            order by
                case when is_reached then 0 else 1 end,
                case when is_solved is null then 1 else 0 end,
                attempted_at desc,
                survey_response_id desc
        ) as word_place,
        row_number() over (
            partition by callback_id
            order by
                case when is_reached then 0 else 1 end,
                case when satisfaction is null then 1 else 0 end,
                attempted_at desc,
                survey_response_id desc
        ) as satisfaction_place
    from {{ ref('int_callback_attempts') }}
)

select
    callback_id,
    count(*) as attempts,
    min(attempted_at) as first_attempt_at,
    max(attempted_at) as last_attempt_at,
    min(attempted_at) filter (where is_reached) as reached_at,
    min(attempted_at) filter (where attempt_outcome = 'refused') as refused_at,
    max(attempt_outcome) filter (where last_place = 1) as outcome,
    max(survey_response_id) filter (where is_reached and word_place = 1) as survey_response_id,
    bool_or(is_solved) filter (where is_reached and word_place = 1) as is_solved,
    max(satisfaction) filter (where is_reached and satisfaction_place = 1) as satisfaction
from attempts
group by callback_id
