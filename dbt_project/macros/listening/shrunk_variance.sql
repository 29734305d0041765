{#-
Variance of a group's `value`, shrunk to `prior` (an expression) as if that were known from 20 more degrees of freedom.
Decimals: the order of adding does not show.
-#}
{% macro shrunk_variance(value, prior) -%}
(greatest(sum({{ value }} * {{ value }}) - sum({{ value }}) * sum({{ value }}) / count(*), 0) + 20 * {{ prior }})
        / (count(*) - 1 + 20)
{%- endmacro %}
