{#-
Ratio of two observed to expected counts, (x1 / e1) / (x0 / e0), and its 95 % limits (sign '-' or '+'). Counts vary as
negative binomials: spread = sum(alpha * e^2) over their days, 0 is Poisson. Half a count is added to both (Haldane and
Anscombe), so that none is possible. Source: delta method on the logarithm, var(log x/e) = 1/x + spread/e^2.
-#}
{% macro rate_ratio(x1, e1, x0, e0) -%}
{{ rounded('exp(' ~ log_rate_ratio(x1, e1, x0, e0) ~ ')') }}
{%- endmacro %}

{% macro rate_ratio_limit(x1, e1, spread1, x0, e0, spread0, sign) -%}
{%- set variance = [] -%}
{%- for x, e, spread in [(x1, e1, spread1), (x0, e0, spread0)] -%}
{%- do variance.append('1.0 / (' ~ x ~ ' + 0.5) + ' ~ spread ~ ' / (' ~ e ~ ' * ' ~ e ~ ')') -%}
{%- endfor -%}
{{ rounded('exp(' ~ log_rate_ratio(x1, e1, x0, e0) ~ ' ' ~ sign ~ ' ' ~ z_95() ~ ' * sqrt(cast(' ~ variance | join(' + ')
    ~ ' as ' ~ dbt.type_float() ~ ')))') }}
{%- endmacro %}

{% macro log_rate_ratio(x1, e1, x0, e0) -%}
ln(cast((({{ x1 }} + 0.5) * {{ e0 }}) / (({{ x0 }} + 0.5) * {{ e1 }}) as {{ dbt.type_float() }}))
{%- endmacro %}
