{#- Condition: the call record says that a queue did not take the call, by the configured pattern or last application. -#}
{% macro is_turned_away(userfield, lastapp) -%}
coalesce(
            {{ is_one_of(lastapp, var('turned_away_apps')) }}
            {%- if var('turned_away_userfield') %}
            or {{ regexp_like(userfield, text_literal(var('turned_away_userfield'))) }}
            {%- endif %},
            false
        )
{%- endmacro %}
