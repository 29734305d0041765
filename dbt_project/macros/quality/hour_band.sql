{#- Part of the day of a local hour (an expression), as contacts are compared by it. -#}
{% macro hour_band(hour) -%}
case
        when {{ hour }} < 8 then 'night'
        when {{ hour }} < 12 then 'morning'
        when {{ hour }} < 17 then 'day'
        else 'evening'
    end
{%- endmacro %}
