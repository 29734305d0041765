{#- What is measured of a group of finished interviews that were placed on their contact. -#}
{% macro contact_survey_measures() -%}
{{ count_if('is_first_contact_solved') }} as survey_fcr_contact_yes,
{{ count_if('not is_first_contact_solved') }} as survey_fcr_contact_no,
{{ count_if('is_solved') }} as survey_solved_contact_yes,
{{ count_if('not is_solved') }} as survey_solved_contact_no,
{{ count_if('is_on_interview_day and coalesce(is_first_contact_solved, is_solved) is not null') }}
    as survey_answers_on_interview_day
{%- endmacro %}

{#- Contacts whose week has passed, by whether the first line solved them. -#}
{% macro first_line_measures() -%}
count(*) as first_line_index,
{{ count_if('is_handed_on') }} as first_line_handed_on,
{{ count_if('not is_handed_on and not is_repeat_7d') }} as first_line_resolved
{%- endmacro %}

{#- The domains of resolution_daily: aggregate -> its counts. -#}
{% macro resolution_counts() -%}
{{ return({
    'repeats': ['repeat_contacts_known', 'repeat_24h_index', 'repeat_24h_repeats', 'repeat_7d_index',
                'repeat_7d_repeats', 'repeat_30d_index', 'repeat_30d_repeats', 'repeat_any_24h_index',
                'repeat_any_24h_repeats', 'repeat_any_7d_index', 'repeat_any_7d_repeats', 'repeat_any_30d_index',
                'repeat_any_30d_repeats'],
    'contact_surveys': ['survey_fcr_contact_yes', 'survey_fcr_contact_no', 'survey_solved_contact_yes',
                        'survey_solved_contact_no', 'survey_answers_on_interview_day'],
    'evaluations': ['evaluations_solved', 'evaluations_solved_asked'],
    'first_line': ['first_line_index', 'first_line_handed_on', 'first_line_resolved'],
    'ticket_events': ['tickets_solved', 'tickets_reopened', 'tickets_finally_solved', 'tickets_one_touch'],
}) }}
{%- endmacro %}

{#- A rate beside its interval: <name>, <name>_low, <name>_high; null where there is nothing to divide by. -#}
{% macro rate_with_interval(name, numerator, denominator) -%}
{{ ratio(numerator, '(' ~ denominator ~ ')') }} as {{ name }},
{{ wilson_low('(' ~ numerator ~ ')', '(' ~ denominator ~ ')') }} as {{ name }}_low,
{{ wilson_high('(' ~ numerator ~ ')', '(' ~ denominator ~ ')') }} as {{ name }}_high
{%- endmacro %}
