{#- Whether `next_at` falls within so many days after started_at; null while that time has not passed. -#}
{% macro came_back_within(next_at, days) -%}
case when {{ add_seconds('started_at', days * 86400) }} <= {{ data_until() }}
        then coalesce({{ next_at }} <= {{ add_seconds('started_at', days * 86400) }}, false)
    end
{%- endmacro %}
