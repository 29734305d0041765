{#-
Farrington's surveillance of counts. Source: Farrington et al. 1996, J. R. Statist. Soc. A 159: counts to the power
2/3 are nearly normal, with the variance (4/9) * mean^(-2/3) * variance.
-#}

{#-
Condition: the day is one of those that the judged day looks back on: the eight weeks that end three days before it, so
that a surge of yesterday does not hide today's.
-#}
{% macro in_surge_history(day, judged_day) -%}
{{ day }} between {{ add_days(judged_day, -58) }} and {{ add_days(judged_day, -3) }}
{%- endmacro %}

{#- Daily counts above it are cut off before the level is fitted: past surges must not raise the bar. -#}
{% macro surge_ceiling(median, mean) -%}
{%- set spread = 'greatest(cast(' ~ median ~ ' as numeric(28, 12)), least(' ~ mean ~ ', 1))' -%}
cast(round(cast({{ median }} as numeric(28, 12)) + 3 * cast(sqrt(cast({{ spread }} + {{ spread }} * {{ spread }} / 10
            as {{ dbt.type_float() }})) as numeric(28, 12)), 9) as numeric(28, 12))
{%- endmacro %}

{#- Standard normal score of a count; `mean` > 0. -#}
{% macro farrington_score(count, mean, variance) -%}
(power(cast({{ count }} as {{ dbt.type_float() }}), 2.0 / 3.0) - power(cast({{ mean }} as {{ dbt.type_float() }}), 2.0 / 3.0))
        / (2.0 / 3.0 * power(cast({{ mean }} as {{ dbt.type_float() }}), -1.0 / 3.0) * sqrt(cast({{ variance }} as {{ dbt.type_float() }})))
{%- endmacro %}

{#- Count that 0.1 % of the days without surge exceed: mean * (1 + (2/3) * z * sqrt(variance) / mean)^1.5. -#}
{% macro farrington_limit(mean, variance) -%}
{{ rounded('cast(' ~ mean ~ ' as ' ~ dbt.type_float() ~ ') * power(1 + 2.0 / 3.0 * ' ~ z_998() ~ ' * sqrt(cast(' ~ variance
    ~ ' as ' ~ dbt.type_float() ~ ')) / cast(' ~ mean ~ ' as ' ~ dbt.type_float() ~ '), 1.5)') }}
{%- endmacro %}
