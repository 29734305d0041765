{{ config(
    materialized='incremental', incremental_strategy='replace_days', pre_hook="{{ hashed_joins() }}"
) }}
{%- set domains = ['visits', 'ring_no_answers', 'operator_states', 'ratings', 'surveys', 'evaluations', 'tickets',
                   'ticket_events', 'repeats'] -%}
{{ spine_and_domains('operator', domains) }}

select
    spine.operator_id,
    spine.branch_id,
    spine.team,
    {{ row_status('visits', 'coalesce(visits.contacts_handled, 0) + coalesce(tickets.tickets_opened, 0)') }},
    {{ coverage_columns(['visits', 'ratings', 'surveys', 'evaluations', 'tickets', 'ticket_events', 'repeats']) }},
    {{ counted('visits', 'contacts_handled') }},
    {{ answer_columns() }},
    {{ working_time_columns() }},
    {{ rating_columns() }},
    {{ survey_columns() }},
    {{ evaluation_columns() }},
    {{ ticket_columns() }},
    {{ repeat_columns() }},
    spine.business_day
{{ joined_to_spine('operator', domains) }}
