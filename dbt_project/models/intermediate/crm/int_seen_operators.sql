{{
    config(
        materialized='incremental',
        unlogged=false,
        incremental_strategy='replace_days',
        indexes=[{'columns': ['business_day']}, {'columns': ['operator_id']}]
    )
}}
-- Who appears in any fact of a day.
{% for fact in [
    'fct_queue_visits', 'fct_ring_no_answers', 'fct_operator_states', 'fct_ratings', 'fct_evaluations', 'fct_tickets',
    'fct_ticket_events', 'fct_survey_responses'
] %}
    select
        operator_id,
        business_day
    from {{ ref(fact) }}
    where operator_id is not null and {{ in_touched_days('business_day') }}
    {{ 'union' if not loop.last }}
{% endfor %}
