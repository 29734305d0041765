{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 31, 'after': 0}}
    )
}}
with
spine as (
    select * from {{ ref('int_resolution_spine') }}
    where {{ in_reach(31, 0) }}
),

topics as (
    select
        topic_id,
        coalesce(topic_class, 'unmapped') as topic_class,
        business_day
    from {{ ref('int_topic_spine') }}
    where {{ in_reach(31, 0) }}
){% for domain, counts in resolution_counts().items() %},

{{ domain }}_of_day as (
    select * from {{ ref('int_' ~ domain ~ '_daily') }}
    where {{ in_reach(31, 0) }}
),

-- A class has what its topics of the day have.
{{ domain }} as (
    select
        grain,
        grain_id,
        {{ counts | join(', ') }},
        business_day
    from {{ domain }}_of_day
    union all
    select
        'topic_class' as grain,
        topics.topic_class as grain_id,
        {% for name in counts -%}
        cast(sum(counted.{{ name }}) as bigint) as {{ name }},
        {% endfor -%}
        counted.business_day
    from {{ domain }}_of_day as counted
    inner join topics on counted.grain_id = topics.topic_id and counted.business_day = topics.business_day
    where counted.grain = 'topic'
    group by topics.topic_class, counted.business_day
){% endfor %},

counted as (
    select
        spine.grain,
        spine.grain_id,
        {{ coverage_columns(resolution_counts().keys() | list) }},
        {% for domain, counts in resolution_counts().items() -%}
        {{ counted(domain, counts | join(' ')) }},
        {% endfor -%}
        spine.business_day
    from spine
    {% for domain in resolution_counts() -%}
    left join {{ domain }}
        on
            spine.grain = {{ domain }}.grain
            and spine.grain_id = {{ domain }}.grain_id
            and spine.business_day = {{ domain }}.business_day
    {% endfor %}
)

select
    grain,
    grain_id,
    {% for domain in resolution_counts() -%}
    {{ domain }}_coverage,
    {% endfor -%}
    repeat_contacts_known,
    {% for window in ['24h', '7d', '30d', 'any_24h', 'any_7d', 'any_30d'] -%}
    repeat_{{ window }}_index,
    repeat_{{ window }}_repeats,
    {{ rate_with_interval('fcr_' ~ window, 'repeat_' ~ window ~ '_index - repeat_' ~ window ~ '_repeats',
                          'repeat_' ~ window ~ '_index') }},
    {% endfor -%}
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
