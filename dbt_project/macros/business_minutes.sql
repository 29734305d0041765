{#- Business seconds that passed until `at`, by the joined row `alias` of int_business_hours for its local day.
    Decimal: the sum begins at another day in each build, and with floats a difference of two of them would differ
    in its last digits with that day, so that a build of few days and one of all would not agree. -#}
{% macro business_seconds_until(at, alias) -%}
cast({{ alias }}.minutes_before * 60 + case
        when {{ alias }}.opens_at is null or {{ at }} <= {{ alias }}.opens_at then 0
        when {{ at }} >= {{ alias }}.closes_at then {{ alias }}.open_minutes * 60
        else {{ seconds_between(alias ~ '.opens_at', at) }}
    end as decimal(20, 6))
{%- endmacro %}

{#- Business minutes from `start_at` (its day joined as `start_alias`) to `end_at` (joined as `end_alias`). -#}
{% macro business_minutes_between(start_at, start_alias, end_at, end_alias) -%}
{% set seconds -%}
({{ business_seconds_until(end_at, end_alias) }}
        - {{ business_seconds_until(start_at, start_alias) }})
{%- endset -%}
{{ minutes_of(seconds) }}
{%- endmacro %}

{#- Elapsed minutes between two instants, with fractions. -#}
{% macro minutes_between(start_at, end_at) -%}{{ minutes_of(seconds_between(start_at, end_at)) }}{%- endmacro %}

{#- Minutes of so many seconds: a float before it is divided, for engines divide decimals with different care. -#}
{% macro minutes_of(seconds) -%}
cast({{ seconds }} as {{ dbt.type_float() }}) / 60
{%- endmacro %}
