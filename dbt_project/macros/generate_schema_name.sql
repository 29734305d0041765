{#- +schema names are the schemas themselves: `candidate`, not `<target>_candidate`. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
{{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
