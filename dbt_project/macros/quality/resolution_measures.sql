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

{#- Per window: contacts whose window has closed, those that came back, and the share that did not. -#}
{% macro repeats_with_intervals() -%}
{% for window in ['24h', '7d', '30d', 'any_24h', 'any_7d', 'any_30d'] -%}
{%- set own = 'repeat_' ~ window -%}
{{ own }}_index,
{{ own }}_repeats,
{{ rate_with_interval('fcr_' ~ window, own ~ '_index - ' ~ own ~ '_repeats', own ~ '_index') }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#-
CTEs of resolution_daily; the last, `counted`, has the spine's rows with the counts of all domains. A class has what its
topics of the day have.
-#}
{% macro resolution_ctes() -%}
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
{%- endmacro %}

{#- The rows of the three spines and the classes of the topics, with the coverage of the domains. -#}
{% macro resolution_spine() -%}
{%- set columns -%}
repeats_coverage,
    surveys_coverage as contact_surveys_coverage,
    evaluations_coverage,
    case when tickets_coverage = 'not_configured' then tickets_coverage else repeats_coverage end as first_line_coverage,
    ticket_events_coverage,
    business_day
{%- endset -%}
{% for grain in ['operator', 'branch', 'topic'] -%}
select
    cast('{{ grain }}' as {{ dbt.type_string() }}) as grain,
    {{ grain }}_id as grain_id,
    {{ columns }}
from {{ ref('int_' ~ grain ~ '_spine') }}
union all
{% endfor -%}
select distinct
    cast('topic_class' as {{ dbt.type_string() }}) as grain,
    coalesce(topic_class, 'unmapped') as grain_id,
    {{ columns }}
from {{ ref('int_topic_spine') }}
{%- endmacro %}
