{#- Time at work of an operator on a day. Where the PBX logs no logins, `login_seconds` is null, not 0. -#}
{% macro state_measures() -%}
case when {{ count_if("state = 'login'") }} > 0 then {{ sum_of('seconds', "state = 'login'") }} end as login_seconds,
{{ sum_of('seconds', "state = 'pause'") }} as pause_seconds,
{{ count_if("state = 'pause'") }} as pauses
{%- endmacro %}

{#- What is measured of a group of unanswered ring attempts. -#}
{% macro ring_measures() -%}
count(*) as ring_no_answers,
{{ exact_sum('rang_ms / 1000.0') }} as ring_no_answer_seconds_sum
{%- endmacro %}
