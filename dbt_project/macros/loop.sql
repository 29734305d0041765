{#- Call-backs: what the models of the closed loop share. -#}

{#- What a call can be owed for. -#}
{% macro callback_reasons() -%}
new_connection repair_solved support_solved past_target low_rating
{%- endmacro %}

{#- Hours in which an owed call must be made, by `reason` (a column), from the configuration. -#}
{% macro callback_due_hours(reason) -%}
case {{ reason }}{% for name in callback_reasons().split() %} when '{{ name }}' then {{ var('callback_due_hours_' ~ name) }}{% endfor %} end
{%- endmacro %}

{#- Place of a ticket's events that happened in the same instant: what was solved last is solved. -#}
{% macro ticket_event_order(event) -%}
case {{ event }} when 'opened' then 1 when 'reopened' then 2 when 'solved' then 3 else 4 end
{%- endmacro %}

{#- Condition: the matter of an owed call is a solution that can turn out not to hold. -#}
{% macro is_about_a_solution(reason) -%}{{ reason }} in ('repair_solved', 'support_solved'){%- endmacro %}

{#- The reason of a call that is owed for a solution, from the ticket's kind. -#}
{% macro solved_reason(kind) -%}case when {{ kind }} = 'fault' then 'repair_solved' else 'support_solved' end{%- endmacro %}

{#- The columns of one kind of owed call; `owed_at` and the keyword arguments are columns, what is not given is null. -#}
{% macro owed_call(callback_id, reason, key_moment, owed_at) -%}
{{ callback_id }} as callback_id,
        {{ reason }} as reason,
        {{ key_moment }} as key_moment,
        {% for name in ['contact_id', 'ticket_id', 'connection_id', 'topic_id', 'operator_id'] -%}
        cast({{ kwargs.get(name, 'null') }} as {{ dbt.type_string() }}) as {{ name }},
        {% endfor -%}
        subscriber_id,
        branch_id,
        {{ owed_at }} as owed_at,
        cast({{ kwargs.get('lowest_rating', 'null') }} as bigint) as lowest_rating,
        business_day
{%- endmacro %}

{#- The moment a call is owed for, from the ticket's kind. -#}
{% macro ticket_moment(kind) -%}case when {{ kind }} = 'fault' then 'repair' else 'service' end{%- endmacro %}

{#-
State of an owed call by the morning after the last loaded day. Null: surveys are not loaded for the time since it
became owed, or not up to its deadline although that has passed.
-#}
{% macro callback_state() -%}
case
        when is_solved then 'confirmed_solved'
        when not is_solved then 'not_solved'
        when reached_at is not null then 'reached'
        when answers_until is null then null
        when refused_at is not null then 'refused'
        when reopened_at is not null then 'reopened'
        when left_at is not null then 'left'
        when answers_until >= due_at then 'overdue'
        when due_at <= {{ data_until() }} then null
        when attempts > 0 then 'attempted'
        else 'due'
    end
{%- endmacro %}

{#-
What is counted of a group of owed calls. `owed` comes from the records that cause them; everything else is told by
surveys: null where none of the group's calls is known, as for `measured` of them only.
-#}
{% macro callback_measures() -%}
count(*) as owed,
{% for reason in callback_reasons().split() -%}
{{ count_if("reason = '" ~ reason ~ "'") }} as owed_{{ reason }},
{% endfor -%}
count(state) as measured,
{% for name, condition in [
    ('attempted', 'attempts > 0'),
    ('reached', 'reached_at is not null'),
    ('confirmed_solved', "state = 'confirmed_solved'"),
    ('not_solved', "state = 'not_solved'"),
    ('reached_without_word', "state = 'reached'"),
    ('refused', "state = 'refused'"),
    ('reopened_uncalled', "state = 'reopened'"),
    ('left_uncalled', "state = 'left'"),
    ('overdue', "state = 'overdue'"),
    ('still_open', "state in ('due', 'attempted')"),
    ('on_time', 'is_on_time'),
    ('on_time_base', 'is_on_time is not null'),
    ('reached_of_attempted', "reached_at is not null and attempts > 0"),
    ('reached_base', "attempts > 0 and state is not null and state not in ('attempted', 'reopened', 'left')"),
    ('solved_base', 'is_solved is not null'),
] -%}
case when count(state) > 0 then {{ count_if(condition) }} end as {{ name }},
{% endfor -%}
case when count(state) > 0 then {{ sum_of('attempts') }} end as attempts,
case when count(state) > 0 then {{ sum_of('satisfaction') }} end as satisfaction_sum,
case when count(state) > 0 then count(satisfaction) end as satisfaction_count,
{{ count_if('is_reopened') }} as reopened,
count(is_reopened) as reopened_base
{%- endmacro %}

{#- The counted columns in the mart's order. -#}
{% macro callback_amounts(relation) -%}
{% for name in [
    'owed', 'owed_new_connection', 'owed_repair_solved', 'owed_support_solved', 'owed_past_target', 'owed_low_rating',
    'measured', 'attempted', 'attempts', 'reached', 'confirmed_solved', 'not_solved', 'reached_without_word',
    'refused', 'reopened_uncalled', 'left_uncalled', 'overdue', 'still_open', 'on_time', 'on_time_base',
    'reached_of_attempted', 'reached_base', 'solved_base', 'reopened', 'reopened_base', 'satisfaction_sum',
    'satisfaction_count'
] -%}
{{ relation }}.{{ name }}{{ ',\n    ' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#- Each share with its interval. -#}
{% macro callback_share_columns(relation) -%}
{% for name, numerator, denominator in [
    ('on_time', 'on_time', 'on_time_base'),
    ('reached', 'reached_of_attempted', 'reached_base'),
    ('confirmed_solved', 'confirmed_solved', 'solved_base'),
    ('reopened', 'reopened', 'reopened_base'),
] -%}
{%- set x, n = relation ~ '.' ~ numerator, relation ~ '.' ~ denominator -%}
{{ ratio(x, n) }} as {{ name }}_share,
    {{ wilson_low(x, n) }} as {{ name }}_share_low,
    {{ wilson_high(x, n) }} as {{ name }}_share_high{{ ',
    ' if not loop.last }}
{%- endfor %}
{%- endmacro %}
