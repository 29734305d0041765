{#- What is measured of a group of contacts. -#}
{% macro contact_measures() -%}
{%- set entered = "contact_kind = 'call' and queue_visits > 0" -%}
count(*) as contacts,
{{ count_if(entered) }} as contacts_entered,
{{ count_if("outcome = 'turned_away'") }} as contacts_turned_away,
{{ count_if("outcome = 'left_in_menu'") }} as contacts_left_in_menu,
{{ count_if('(' ~ entered ~ ") or outcome = 'turned_away'") }} as contacts_offered,
{{ count_if("outcome = 'answered'") }} as contacts_answered,
{{ count_if("outcome = 'abandoned'") }} as contacts_abandoned,
{{ count_if("contact_kind = 'ticket'") }} as contacts_without_call,
{{ count_if('has_overflow') }} as contacts_overflowed,
{{ count_if('transfers > 0') }} as contacts_transferred,
{{ ratio(count_if("outcome = 'answered'"), count_if('(' ~ entered ~ ") or outcome = 'turned_away'")) }}
    as contacts_answered_share
{%- endmacro %}
