{#- The criteria of the quality line, in the order they are asked. -#}
{% macro rating_criteria() -%}
service_quality readiness_to_help politeness competence
{%- endmacro %}

{#- Per criterion of one rated call: asked, answered, timed out, invalid, points. -#}
{% macro rating_answers() -%}
{% for criterion in rating_criteria().split() -%}
{%- set own = "criterion = '" ~ criterion ~ "'" -%}
{{ count_if(own) }} as {{ criterion }}_asked,
{{ count_if(own ~ " and answer_kind = 'rated'") }} as {{ criterion }}_answered,
{{ count_if(own ~ " and answer_kind = 'timed_out'") }} as {{ criterion }}_timed_out,
{{ count_if(own ~ " and answer_kind = 'invalid'") }} as {{ criterion }}_invalid,
{{ sum_of('rating', own ~ " and answer_kind = 'rated'") }} as {{ criterion }}_sum,
{{ count_if(own ~ " and answer_kind = 'rated' and rating >= 4") }} as {{ criterion }}_top2{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- What is measured of a group of rated calls; a time-out and a wrong key were asked, not answered. -#}
{% macro rating_measures() -%}
count(*) as calls_asked,
{{ count_if('criteria_answered > 0') }} as calls_rated,
{{ count_if('criteria_answered >= ' ~ (var('rating_criteria', []) or rating_criteria().split()) | length) }}
    as calls_rated_complete,
{{ count_if('contact_id is null') }} as calls_asked_unmatched,
{% for criterion in rating_criteria().split() -%}
{%- for part in ['asked', 'answered', 'timed_out', 'invalid', 'sum', 'top2'] -%}
{{ sum_of(criterion ~ '_' ~ part) }} as rating_{{ criterion }}_{{ part }},
{% endfor -%}
{{ ratio(sum_of(criterion ~ '_sum'), sum_of(criterion ~ '_answered')) }} as rating_{{ criterion }}_mean,
{{ ratio(sum_of(criterion ~ '_top2'), sum_of(criterion ~ '_answered')) }}
    as rating_{{ criterion }}_top2_share{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}
