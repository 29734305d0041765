{#- Answers of surveys: text as given -> value, null when it is none of the expected ones. -#}
{% macro yes_or_no(text) -%}
case lower(trim({{ text }})) when 'yes' then true when 'no' then false end
{%- endmacro %}

{#-
How a call-back went: as told by the interviewer; where nobody told it, a finished response is an interview and any
other one a call that was begun.
-#}
{% macro attempt_outcome(told, is_complete) -%}
case
            when lower(trim({{ told }})) in ('reached', 'no_answer', 'refused', 'wrong_number', 'other')
                then lower(trim({{ told }}))
            when {{ is_complete }} then 'reached'
            else 'unfinished'
        end
{%- endmacro %}

{#- Condition: somebody was spoken to, or nobody told otherwise. -#}
{% macro is_interview(outcome) -%}{{ outcome }} in ('reached', 'unfinished'){%- endmacro %}

{% macro answer_between(text, low, high) -%}
case when {{ whole_number('trim(' ~ text ~ ')') }} between {{ low }} and {{ high }}
            then {{ whole_number('trim(' ~ text ~ ')') }}
        end
{%- endmacro %}
