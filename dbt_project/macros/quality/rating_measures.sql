{#- The criteria of the quality line, in the order they are asked. -#}
{% macro rating_criteria() -%}
service_quality readiness_to_help politeness competence
{%- endmacro %}

{#- What is counted of each criterion; points_4 is the number of answers with 4 points. -#}
{% macro rating_parts() -%}
asked answered timed_out invalid sum top2 {{ rating_points() }}
{%- endmacro %}
{% macro rating_points() -%}
points_1 points_2 points_3 points_4 points_5
{%- endmacro %}

{#-
The rated calls of a CTE with rows of fct_ratings: one row for each call and operator who was rated, with what was
answered. A rating that found no contact is told apart by what its call was called.
-#}
{% macro rated_calls(ratings) -%}
select
        coalesce(contact_id, server_id || '|' || callid, rating_id) as call_key,
        contact_id,
        operator_id,
        branch_id,
        topic_id,
        business_day,
        {{ count_if("answer_kind = 'rated'") }} as criteria_answered,
        {{ sum_of('rating', "answer_kind = 'rated'") }} as points_sum,
        {{ rating_answers() }}
    from {{ ratings }}
    group by
        coalesce(contact_id, server_id || '|' || callid, rating_id),
        contact_id,
        operator_id,
        branch_id,
        topic_id,
        business_day
{%- endmacro %}

{#- Condition on a rated call: every criterion that this provider asks was answered. -#}
{% macro is_rated_completely(criteria_answered='criteria_answered') -%}
{{ criteria_answered }} >= {{ (var('rating_criteria', []) or rating_criteria().split()) | length }}
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
{{ count_if(own ~ " and answer_kind = 'rated' and rating >= 4") }} as {{ criterion }}_top2,
{% for points in range(1, 6) -%}
{{ count_if(own ~ " and answer_kind = 'rated' and rating = " ~ points) }}
    as {{ criterion }}_points_{{ points }}{{ ',\n' if not loop.last }}
{%- endfor %}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- What is measured of a group of rated calls; a time-out and a wrong key were asked, not answered. -#}
{% macro rating_measures() -%}
count(*) as calls_asked,
{{ count_if('criteria_answered > 0') }} as calls_rated,
{{ count_if(is_rated_completely()) }} as calls_rated_complete,
{{ count_if('contact_id is null') }} as calls_asked_unmatched,
{% for criterion in rating_criteria().split() -%}
{%- for part in rating_parts().split() -%}
{{ sum_of(criterion ~ '_' ~ part) }} as rating_{{ criterion }}_{{ part }},
{% endfor -%}
{{ ratio(sum_of(criterion ~ '_sum'), sum_of(criterion ~ '_answered')) }} as rating_{{ criterion }}_mean,
{{ ratio(sum_of(criterion ~ '_top2'), sum_of(criterion ~ '_answered')) }}
    as rating_{{ criterion }}_top2_share{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}
