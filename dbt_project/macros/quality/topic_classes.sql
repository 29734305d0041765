{#- What topic_class_daily counts, in the mapping of the day and in that of today. -#}
{% macro class_counts() -%}
{{ return(['contacts', 'contacts_handled', 'contacts_from_ticket', 'contacts_from_wrap_up', 'contacts_from_queue',
           'contacts_now', 'contacts_handled_now']) }}
{%- endmacro %}

{#- The class, or why there is none: nobody was told (the call ended before any queue), or no source knows it. -#}
{% macro class_or_reason(topic_class) -%}
case when not owes_class then 'not_told' else coalesce({{ topic_class }}, 'unmapped') end
{%- endmacro %}
