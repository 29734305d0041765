{#- Bands of a call's talk and wait, by which calls differ in who stays to rate. Limits in seconds. -#}
{% macro talk_band(seconds) -%}
case
        when {{ seconds }} < 120 then 'under_2m'
        when {{ seconds }} < 300 then '2m_to_5m'
        when {{ seconds }} < 600 then '5m_to_10m'
        when {{ seconds }} >= 600 then 'over_10m'
        else 'unknown'
    end
{%- endmacro %}

{% macro wait_band(seconds) -%}
case
        when {{ seconds }} <= 20 then 'within_20s'
        when {{ seconds }} <= 60 then '20s_to_1m'
        when {{ seconds }} <= 180 then '1m_to_3m'
        when {{ seconds }} > 180 then 'over_3m'
        else 'unknown'
    end
{%- endmacro %}

{#- The funnel of a group of calls of int_quality_line_calls, and how the eligible ones ended. -#}
{% macro quality_line_measures() -%}
{%- set ended = ['operator', 'subscriber', 'transfer', 'unknown'] -%}
{{ count_if('is_eligible') }} as calls_eligible,
{{ count_if('is_eligible and is_asked') }} as calls_eligible_asked,
{{ count_if('is_asked and not is_eligible') }} as calls_asked_not_eligible,
{% for who in ended -%}
{{ count_if("is_eligible and ended_by = '" ~ who ~ "'") }} as calls_ended_by_{{ who }},
{% endfor -%}
{{ ratio(count_if('is_eligible and is_asked'), count_if('is_eligible')) }} as offer_share,
{{ ratio(count_if("is_eligible and ended_by = 'operator'"),
         count_if("is_eligible and ended_by in ('operator', 'subscriber')")) }} as ended_by_operator_share
{%- endmacro %}

{#- A limit of the 95 % interval of a mean of points 1 to 5; null where all answers are the same. -#}
{% macro mean_limit(mean, sign) -%}
case
        when {{ mean }}_variance > 0
            then {{ rounded('least(greatest(' ~ mean ~ ' ' ~ sign ~ ' ' ~ z_95() ~ ' * sqrt(' ~ mean ~ '_variance), 1), 5)') }}
    end
{%- endmacro %}
