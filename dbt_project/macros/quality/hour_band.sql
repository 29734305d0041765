{#- Band of the local hour, 0 to 23: contacts of one band meet the same queues and staff. -#}
{% macro hour_band(hour) -%}
case
        when {{ hour }} < 8 then 'night'
        when {{ hour }} < 12 then 'morning'
        when {{ hour }} < 17 then 'day'
        when {{ hour }} >= 17 then 'evening'
    end
{%- endmacro %}
