{#-
What people are compared by, where several areas mean the same: scorecards (int_outcomes_of_*) and conduct
(int_rudeness_items, int_slowness_items).
-#}

{#- 1 for true, 0 for false, as an outcome that is added up. -#}
{% macro outcome_of(condition) -%}
case when {{ condition }} then cast(1 as numeric(28, 6)) else cast(0 as numeric(28, 6)) end
{%- endmacro %}

{#-
Natural logarithm of a duration, at least 1 of its unit, rounded per row so that sums of it are exact: durations are
compared by factors, so that one call of an hour does not outweigh sixty of a minute.
-#}
{% macro log_of(duration) -%}
round(cast(ln(cast(greatest({{ duration }}, 1) as {{ dbt.type_float() }})) as numeric(28, 12)), 6)
{%- endmacro %}

{#- Condition on a queue visit: a call somebody talked in. Not an end in the instant of the answer, nor a log that ran on. -#}
{% macro is_talked_in(visits) -%}
{{ visits }}.outcome = 'answered' and not {{ visits }}.is_zero_talk and not {{ visits }}.is_talk_suspect
{%- endmacro %}

{#- Bands of int_contact_case_mix as texts; null where nothing is known of the contact. -#}
{% macro repeat_band(is_repeat) -%}
case when {{ is_repeat }} then 'repeat' when not {{ is_repeat }} then 'first' end
{%- endmacro %}
{% macro outage_band(has_outage) -%}
case when {{ has_outage }} then 'outage' when not {{ has_outage }} then 'none' end
{%- endmacro %}
