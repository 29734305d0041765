{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 31, 'after': 0, 'of': 'touched_days', 'repeats_alone': true}}
    )
}}
{{ resolution_ctes() }}

select
    grain,
    grain_id,
    repeats_coverage,
    contact_surveys_coverage,
    evaluations_coverage,
    first_line_coverage,
    ticket_events_coverage,
    repeat_contacts_known,
    {{ repeats_with_intervals() }},
    first_line_index,
    first_line_handed_on,
    first_line_resolved,
    {{ rate_with_interval('fcr_gross', 'first_line_resolved', 'first_line_index') }},
    {{ rate_with_interval('fcr_net', 'first_line_resolved', 'first_line_index - first_line_handed_on') }},
    survey_fcr_contact_yes,
    survey_fcr_contact_no,
    {{ rate_with_interval('fcr_survey_contact', 'survey_fcr_contact_yes',
                          'survey_fcr_contact_yes + survey_fcr_contact_no') }},
    survey_solved_contact_yes,
    survey_solved_contact_no,
    {{ rate_with_interval('survey_solved_contact_share', 'survey_solved_contact_yes',
                          'survey_solved_contact_yes + survey_solved_contact_no') }},
    survey_answers_on_interview_day,
    evaluations_solved,
    evaluations_solved_asked,
    {{ rate_with_interval('evaluation_solved_share', 'evaluations_solved', 'evaluations_solved_asked') }},
    tickets_solved,
    tickets_reopened,
    {{ ratio('tickets_reopened', 'tickets_solved') }} as ticket_reopen_rate,
    tickets_finally_solved,
    tickets_one_touch,
    {{ rate_with_interval('ticket_one_touch_share', 'tickets_one_touch', 'tickets_finally_solved') }},
    business_day
from counted
where {{ in_reach(31, 0) }}
