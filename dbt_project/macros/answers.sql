{#- Answers of surveys: text as given -> value, null when it is none of the expected ones. -#}
{% macro yes_or_no(text) -%}
case lower(trim({{ text }})) when 'yes' then true when 'no' then false end
{%- endmacro %}

{% macro answer_between(text, low, high) -%}
case when {{ whole_number('trim(' ~ text ~ ')') }} between {{ low }} and {{ high }}
            then {{ whole_number('trim(' ~ text ~ ')') }}
        end
{%- endmacro %}
