{#- What happened to tickets on a day. Times count on the day of the reply or of the last solution. -#}
{% macro ticket_event_measures() -%}
{%- set solved = "count(distinct ticket_id) filter (where is_the_solution or event = 'solved')" -%}
{%- set reopened = "count(distinct ticket_id) filter (where event = 'reopened')" -%}
{{ solved }} as tickets_solved,
{{ reopened }} as tickets_reopened,
{{ ratio(reopened, solved) }} as ticket_reopen_rate,
{% for name, condition in [('first_reply', 'is_the_first_reply'), ('solution', 'is_the_solution')] -%}
{%- set number = 'count(' ~ name ~ '_minutes) filter (where ' ~ condition ~ ')' -%}
{{ exact_sum(name ~ '_minutes', condition) }} as {{ name }}_minutes_sum,
{{ number }} as {{ name }}_minutes_count,
{{ ratio(exact_sum(name ~ '_minutes', condition), number) }} as {{ name }}_minutes_mean,
{{ exact_sum(name ~ '_business_minutes', condition) }} as {{ name }}_business_minutes_sum,
{{ ratio(exact_sum(name ~ '_business_minutes', condition), number) }} as {{ name }}_business_minutes_mean,
{% endfor -%}
{{ count_if('is_the_solution and is_one_touch') }} as tickets_one_touch,
{{ count_if('is_the_solution') }} as tickets_finally_solved,
{{ ratio(count_if('is_the_solution and is_one_touch'), count_if('is_the_solution')) }} as ticket_one_touch_share,
{{ count_if('is_the_solution and due_at is not null') }} as tickets_with_target,
{{ count_if('is_the_solution and due_at is not null and is_within_target') }} as tickets_within_target,
{{ ratio(count_if('is_the_solution and due_at is not null and is_within_target'),
         count_if('is_the_solution and due_at is not null')) }} as ticket_within_target_share
{%- endmacro %}

{#- What is measured of a group of tickets opened on a day. -#}
{% macro ticket_measures() -%}
count(*) as tickets_opened,
{{ count_if("kind = 'request'") }} as tickets_opened_request,
{{ count_if("kind = 'fault'") }} as tickets_opened_fault,
{{ count_if("kind = 'complaint'") }} as tickets_opened_complaint,
{{ count_if("kind = 'fault' and is_valid_fault") }} as faults_valid
{%- endmacro %}
