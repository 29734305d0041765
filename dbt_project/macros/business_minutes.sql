{#- Business minutes that passed until `at`, by the joined row `alias` of int_business_hours for its local day. -#}
{% macro business_minutes_until(at, alias) -%}
({{ alias }}.minutes_before + case
        when {{ alias }}.opens_at is null or {{ at }} <= {{ alias }}.opens_at then 0
        when {{ at }} >= {{ alias }}.closes_at then {{ alias }}.open_minutes
        else {{ seconds_between(alias ~ '.opens_at', at) }} / 60
    end)
{%- endmacro %}
