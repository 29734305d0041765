{#- DuckDB's indexes serve no join: a build by it would only pay for them. -#}
{% macro duckdb__create_indexes(relation) -%}{%- endmacro %}
