{# The planner must know a new table's size before the next model joins it; else it loops over millions of rows. #}
{% macro refresh_statistics() %}
    {{ return(adapter.dispatch('refresh_statistics', 'quality_line')()) }}
{% endmacro %}

{% macro default__refresh_statistics() %}
{% endmacro %}

{% macro postgres__refresh_statistics() %}
    {% if model.config.materialized in ('table', 'incremental', 'seed') %}analyze {{ this }}{% endif %}
{% endmacro %}
