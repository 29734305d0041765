{#- How many weeks a week is compared with, and the least number of them that were loaded wholly. -#}
{% macro review_weeks() -%}{{ return(8) }}{%- endmacro %}
{% macro review_least_weeks() -%}{{ return(4) }}{%- endmacro %}

{#- The Monday of a date's ISO week. -#}
{% macro week_start(day) -%}
cast(date_trunc('week', {{ day }}) as date)
{%- endmacro %}

{#-
Rows of a relation once for its branch and once for '*', all branches, with the Monday as week_start; a subquery.
columns: what is kept beside branch_id and business_day.
-#}
{% macro by_branch_and_all(relation, columns) -%}
{% for branch in ['branch_id', "'*'"] -%}
select
    {{ branch }} as branch_id,
    {{ week_start('business_day') }} as week_start,
    {{ columns }}
from {{ relation }}
{{ 'union all' if not loop.last }}
{% endfor %}
{%- endmacro %}

{#-
Rows of measures: branch_id, section, item, kind ('count', 'rate', 'mean'), worse_is ('high', 'low' or null where
neither is), n, x, x2, week_start. A count's n is 1; x2 is the sum of squares of a mean's values.
-#}
{% macro review_measure(relation, section, item, kind, worse_is, n, x, x2=none) -%}
select
    branch_id,
    '{{ section }}' as section,
    {{ item }} as item,
    '{{ kind }}' as kind,
    {{ "'" ~ worse_is ~ "'" if worse_is else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as worse_is,
    {{ '1' if kind == 'count' else 'cast(' ~ n ~ ' as numeric(28, 6))' }} as n,
    cast({{ x }} as numeric(28, 6)) as x,
    cast({{ x2 or x }} as numeric(28, 6)) as x2,
    week_start
from {{ relation }}
group by branch_id, week_start{{ ', ' ~ item if not item.startswith("'") }}
{%- endmacro %}

{#- Key figures of the daily branch mart: (item, numerator, denominator, what is worse). -#}
{% macro review_rates() -%}
{{ return([
    ('service_level_offered_20s', 'answered_within_20s', 'service_level_offered_base', 'low'),
    ('abandon_rate', 'visits_abandoned', 'visits_entered', 'high'),
    ('rating_service_quality_top2', 'rating_service_quality_top2', 'rating_service_quality_answered', 'low'),
    ('rating_readiness_to_help_top2', 'rating_readiness_to_help_top2', 'rating_readiness_to_help_answered', 'low'),
    ('rating_politeness_top2', 'rating_politeness_top2', 'rating_politeness_answered', 'low'),
    ('rating_competence_top2', 'rating_competence_top2', 'rating_competence_answered', 'low'),
    ('fcr_24h', 'repeat_24h_index - repeat_24h_repeats', 'repeat_24h_index', 'low'),
    ('fcr_7d', 'repeat_7d_index - repeat_7d_repeats', 'repeat_7d_index', 'low'),
    ('survey_solved_share', 'survey_solved_yes', 'survey_solved_yes + survey_solved_no', 'low'),
    ('satisfaction_top2', 'satisfaction_top2', 'satisfaction_count', 'low'),
    ('ticket_within_target_share', 'tickets_within_target', 'tickets_with_target', 'low'),
]) }}
{%- endmacro %}

{#- What becomes of owed call-backs, from their daily mart: (item, numerator, denominator, what is worse). -#}
{% macro review_callback_rates() -%}
{{ return([
    ('callbacks_on_time', 'on_time', 'on_time_base', 'low'),
    ('callbacks_reached', 'reached_of_attempted', 'reached_base', 'low'),
    ('callbacks_confirmed_solved', 'confirmed_solved', 'solved_base', 'low'),
    ('callbacks_reopened', 'reopened', 'reopened_base', 'high'),
]) }}
{%- endmacro %}

{#- So many days before the as-of day, every call owed on a day has passed its deadline, in any time zone. -#}
{% macro review_callbacks_settle_days() -%}
{%- set hours = [] -%}
{%- for reason in callback_reasons().split() -%}
{%- do hours.append(var('callback_due_hours_' ~ reason) | int) -%}
{%- endfor -%}
{{ return((hours | max + 23) // 24 + 1) }}
{%- endmacro %}
