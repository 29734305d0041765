{{ config(
    materialized='incremental', incremental_strategy='replace_days', pre_hook="{{ hashed_joins() }}"
) }}
{%- set domains = ['contacts', 'visits', 'ring_no_answers', 'ratings', 'surveys', 'evaluations', 'tickets',
                   'ticket_events', 'repeats'] -%}
{{ spine_and_domains('topic', domains) }}

select
    spine.topic_id,
    spine.topic_class,
    {{ row_status('contacts', 'contacts.contacts') }},
    {{ coverage_columns(['visits', 'ratings', 'surveys', 'evaluations', 'tickets', 'ticket_events', 'repeats']) }},
    spine.turned_away_coverage,
    {{ contact_columns() }},
    {{ queue_columns() }},
    {{ answer_columns() }},
    {{ rating_columns() }},
    {{ survey_columns() }},
    {{ evaluation_columns() }},
    {{ ticket_columns() }},
    {{ repeat_columns() }},
    spine.business_day
{{ joined_to_spine('topic', domains) }}
