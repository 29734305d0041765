{#- What is measured of a group of survey responses; only finished ones have a say,
`survey_started` counts all interviews that were begun. -#}
{% macro survey_measures() -%}
{%- set promoters = count_if("is_complete and nps_group = 'promoter'") -%}
{%- set detractors = count_if("is_complete and nps_group = 'detractor'") -%}
{%- set recommend = count_if("is_complete and nps_group is not null") -%}
{%- set satisfied = count_if('is_complete and satisfaction is not null') -%}
{%- set effort = count_if('is_complete and effort is not null') -%}
count(*) as survey_started,
{{ count_if('is_complete') }} as survey_responses,
{% for kind in ['connection', 'repair', 'general'] -%}
{{ count_if("is_complete and survey_kind = '" ~ kind ~ "'") }} as survey_responses_{{ kind }},
{% endfor -%}
{{ count_if('is_complete and is_solved') }} as survey_solved_yes,
{{ count_if('is_complete and not is_solved') }} as survey_solved_no,
{{ ratio(count_if('is_complete and is_solved'), count_if('is_complete and is_solved is not null')) }}
    as survey_solved_share,
{{ count_if('is_complete and is_first_contact_solved') }} as survey_fcr_yes,
{{ count_if('is_complete and not is_first_contact_solved') }} as survey_fcr_no,
{{ ratio(count_if('is_complete and is_first_contact_solved'),
         count_if('is_complete and is_first_contact_solved is not null')) }} as fcr_survey,
{{ sum_of('satisfaction', 'is_complete') }} as satisfaction_sum,
{{ satisfied }} as satisfaction_count,
{{ count_if('is_complete and satisfaction >= 4') }} as satisfaction_top2,
{{ ratio(sum_of('satisfaction', 'is_complete'), satisfied) }} as satisfaction_mean,
{{ ratio(count_if('is_complete and satisfaction >= 4'), satisfied) }} as satisfaction_top2_share,
{{ promoters }} as nps_promoters,
{{ count_if("is_complete and nps_group = 'passive'") }} as nps_passives,
{{ detractors }} as nps_detractors,
{{ ratio('100 * (' ~ promoters ~ ' - ' ~ detractors ~ ')', recommend) }} as nps,
{{ sum_of('effort', 'is_complete') }} as effort_sum,
{{ effort }} as effort_count,
{{ ratio(sum_of('effort', 'is_complete'), effort) }} as effort_mean
{%- endmacro %}
