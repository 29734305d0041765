{#- More memory for the sorts and hashes of one model, until its transaction ends. -#}
{% macro working_memory(megabytes=128) -%}{{ return(adapter.dispatch('working_memory')(megabytes)) }}{%- endmacro %}
{% macro default__working_memory(megabytes) -%}{%- endmacro %}
{% macro postgres__working_memory(megabytes) -%}set local work_mem = '{{ megabytes }}MB'{%- endmacro %}
