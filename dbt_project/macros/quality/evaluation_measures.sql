{#- What is measured of a group of listened calls. A call with a failed fatal item scores 0; its raw score is kept. -#}
{% macro evaluation_measures() -%}
count(*) as evaluations,
{{ exact_sum('score') }} as evaluation_score_sum,
{{ exact_sum('score_raw') }} as evaluation_score_raw_sum,
count(score) as evaluation_score_count,
{{ ratio(exact_sum('score'), 'count(score)') }} as evaluation_score_mean,
{{ ratio(exact_sum('score_raw'), 'count(score_raw)') }} as evaluation_score_raw_mean,
{{ count_if('fatal_errors > 0') }} as evaluations_with_fatal,
{% for kind in ['customer', 'business', 'compliance'] -%}
{{ count_if('fatal_' ~ kind ~ ' > 0') }} as evaluations_with_fatal_{{ kind }},
{% endfor -%}
{{ ratio(count_if('fatal_errors > 0'), 'count(*)') }} as evaluation_fatal_rate,
{% for tone in ['warm', 'neutral', 'cold'] -%}
{{ count_if("tone = '" ~ tone ~ "'") }} as evaluations_{{ tone }},
{% endfor -%}
{{ count_if('is_rude') }} as evaluations_rude,
{{ ratio(count_if('is_rude'), 'count(*)') }} as evaluation_rude_rate,
{{ count_if('is_solved') }} as evaluations_solved,
{{ count_if('is_solved is not null') }} as evaluations_solved_asked,
{{ ratio(count_if('is_solved'), count_if('is_solved is not null')) }} as evaluation_solved_share
{%- endmacro %}
