{#- The marts' columns by domain: the same names, order and treatment in every mart that has the domain. -#}

{% macro coverage_columns(domains) -%}
{% for domain in domains -%}
{{ covered(domain) }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{% macro contact_columns() -%}
{%- set with_cdr = "spine.turned_away_coverage in ('loaded', 'partial') or contacts.contacts_turned_away > 0" -%}
{% for name in ['contacts_offered', 'contacts_turned_away', 'contacts_left_in_menu'] -%}
case when {{ with_cdr }} then coalesce(contacts.{{ name }}, 0) end as {{ name }},
{% endfor -%}
{{ counted('contacts', 'contacts_entered contacts_answered contacts_abandoned contacts_overflowed
    contacts_transferred', coverage='visits', evidence='contacts.contacts_entered > 0') }},
{{ counted('contacts', 'contacts_without_call', coverage='tickets', evidence='contacts.contacts_without_call > 0') }},
case when {{ with_cdr }} then contacts.contacts_answered_share end as contacts_answered_share
{%- endmacro %}

{% macro queue_columns() -%}
{{ counted('visits', 'visits_entered visits_abandoned visits_short_abandoned visits_timed_out visits_left_by_key
    visits_left_empty visits_withdrawn visits_failed visits_interrupted visits_open abandoned_in_threshold
    abandoned_within_20s service_level_offered_base service_level_no_short_base service_level_flowouts_base
    wait_all_seconds_sum wait_all_seconds_count') }},
{{ observed('visits', 'wait_all_seconds_mean wait_all_seconds_p50 wait_all_seconds_p90
    abandon_rate abandon_rate_no_short
    service_level_offered service_level_no_short service_level_flowouts service_level_asterisk2
    service_level_offered_20s service_level_no_short_20s service_level_flowouts_20s
    service_level_asterisk2_20s') }}
{%- endmacro %}

{% macro answer_columns() -%}
{{ counted('visits', 'visits_answered wait_seconds_sum wait_seconds_count ring_seconds_sum ring_seconds_count
    talk_seconds_sum talk_seconds_count zero_talk_answers suspect_talk_answers answered_in_threshold
    answered_within_20s transfers transfers_blind transfers_attended ended_by_operator ended_by_subscriber') }},
{{ observed('visits', 'wait_seconds_mean wait_seconds_p50 wait_seconds_p90 ring_seconds_mean ring_seconds_p50
    ring_seconds_p90 talk_seconds_mean talk_seconds_p50 talk_seconds_p90 service_level_answered
    service_level_answered_20s transfer_rate operator_hangup_share') }},
{{ counted('ring_no_answers', 'ring_no_answers ring_no_answer_seconds_sum', coverage='visits') }},
{{ ratio('ring_no_answers.ring_no_answers', 'ring_no_answers.ring_no_answers + coalesce(visits.visits_answered, 0)') }}
    as ring_no_answer_rate
{%- endmacro %}

{% macro rating_columns() -%}
{{ counted('ratings', 'calls_asked calls_rated calls_rated_complete calls_asked_unmatched') }},
{% for criterion in rating_criteria().split() -%}
{%- set own = 'rating_' ~ criterion -%}
{% for part in ['asked', 'answered', 'timed_out', 'invalid', 'sum', 'top2'] -%}
{{ counted('ratings', own ~ '_' ~ part) }},
{% endfor -%}
{{ observed('ratings', own ~ '_mean ' ~ own ~ '_top2_share') }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- The distribution of the answers: for each criterion the number of answers with 1 to 5 points. -#}
{% macro rating_distribution_columns() -%}
{% for criterion in rating_criteria().split() -%}
{%- set outer = loop -%}
{%- for points in rating_points().split() -%}
{{ counted('ratings', 'rating_' ~ criterion ~ '_' ~ points) }}{{ ',\n' if not (outer.last and loop.last) }}
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{% macro survey_columns() -%}
{{ counted('surveys', 'survey_started survey_responses survey_responses_connection survey_responses_repair
    survey_responses_general survey_solved_yes survey_solved_no survey_fcr_yes survey_fcr_no satisfaction_sum
    satisfaction_count satisfaction_top2 nps_promoters nps_passives nps_detractors effort_sum effort_count') }},
{{ observed('surveys', 'survey_solved_share fcr_survey satisfaction_mean satisfaction_top2_share nps
    effort_mean') }}
{%- endmacro %}

{% macro evaluation_columns() -%}
{{ counted('evaluations', 'evaluations evaluation_score_sum evaluation_score_raw_sum evaluation_score_count
    evaluations_with_fatal evaluations_with_fatal_customer evaluations_with_fatal_business
    evaluations_with_fatal_compliance evaluations_warm evaluations_neutral evaluations_cold evaluations_rude
    evaluations_solved evaluations_solved_asked') }},
{{ observed('evaluations', 'evaluation_score_mean evaluation_score_raw_mean evaluation_fatal_rate
    evaluation_rude_rate evaluation_solved_share') }}
{%- endmacro %}

{% macro ticket_columns() -%}
{{ counted('tickets', 'tickets_opened tickets_opened_request tickets_opened_fault tickets_opened_complaint
    faults_valid') }},
{{ counted('ticket_events', 'tickets_solved tickets_reopened tickets_finally_solved tickets_one_touch
    tickets_with_target tickets_within_target first_reply_minutes_sum first_reply_minutes_count
    first_reply_business_minutes_sum solution_minutes_sum solution_minutes_count
    solution_business_minutes_sum') }},
{{ observed('ticket_events', 'ticket_reopen_rate ticket_one_touch_share ticket_within_target_share
    first_reply_minutes_mean first_reply_business_minutes_mean solution_minutes_mean
    solution_business_minutes_mean') }}
{%- endmacro %}

{% macro repeat_columns() -%}
{{ counted('repeats', 'repeat_contacts_known') }},
{% for any in ['', 'any_'] -%}
{%- set outer = loop -%}
{%- for window in ['24h', '7d', '30d'] -%}
{{ counted('repeats', 'repeat_' ~ any ~ window ~ '_index repeat_' ~ any ~ window ~ '_repeats') }},
{{ observed('repeats', 'repeat_' ~ any ~ window ~ '_rate fcr_' ~ any ~ window) }}
{{- ',\n' if not (outer.last and loop.last) }}
{%- endfor %}
{%- endfor %}
{%- endmacro %}

{% macro connection_columns() -%}
{{ counted('connections', 'connections_ordered connections_cancelled connections_connected supply_days_sum
    supply_days_count connections_with_promise connections_on_promise') }},
{{ observed('connections', 'supply_days_mean connection_on_promise_share') }}
{%- endmacro %}

{#- Who answers without a login in the log is a permanent member of the queue: his time at work is not measured. -#}
{% macro working_time_columns() -%}
{%- set login -%}
case
    when operator_states.login_seconds is not null then operator_states.login_seconds
    when visits.grain_id is null and spine.visits_coverage in ('loaded', 'partial') then 0
end
{%- endset -%}
{{ login }} as login_seconds,
{{ counted('operator_states', 'pause_seconds pauses', coverage='visits') }},
{{ ratio('visits.talk_seconds_sum', 'operator_states.login_seconds') }} as talk_share_of_login,
{{ ratio('visits.talk_seconds_sum', '(operator_states.login_seconds - operator_states.pause_seconds)') }}
    as talk_share_of_login_without_pauses
{%- endmacro %}
