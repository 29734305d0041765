{#- The time zone of the joined branch version `alias`, the provider's where there is none. -#}
{% macro zone_of(alias) -%}
coalesce({{ alias }}.time_zone, {{ default_zone() }})
{%- endmacro %}

{% macro default_zone() -%}
{{ text_literal(var('default_time_zone')) }}
{%- endmacro %}

{% macro default_branch() -%}
{{ text_literal(var('default_branch_id')) }}
{%- endmacro %}
