{#- Share or mean of two sums, null where the denominator is 0: no observation is not a 0 %. -#}
{% macro ratio(numerator, denominator) -%}
cast({{ numerator }} as {{ dbt.type_float() }}) / nullif({{ denominator }}, 0)
{%- endmacro %}

{#- Number of rows of a group for which `condition` is true. -#}
{% macro count_if(condition) -%}
count(*) filter (where {{ condition }})
{%- endmacro %}

{#- Whole-number sum of a group, 0 for no rows. -#}
{% macro sum_of(expression, condition='true') -%}
cast(coalesce(sum({{ expression }}) filter (where {{ condition }}), 0) as bigint)
{%- endmacro %}

{#- Sum of measured values. Added as exact decimals: floats would give another last digit for another row order. -#}
{% macro exact_sum(expression, condition='true') -%}
cast(coalesce(sum({{ as_decimal(expression) }}) filter (where {{ condition }}), 0)
    as {{ dbt.type_float() }})
{%- endmacro %}
