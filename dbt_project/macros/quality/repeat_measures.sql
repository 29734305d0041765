{#-
Repeat contacts of a group of handled contacts with a known subscriber. Only contacts whose window has closed count;
where there are contacts but no window has closed yet, the number of repeats is null, not 0.
-#}
{% macro repeat_measures() -%}
count(*) as repeat_contacts_known,
{% for any in ['', 'any_'] -%}
{%- set outer = loop -%}
{%- for window in ['24h', '7d', '30d'] -%}
{%- set flag = 'is_repeat_' ~ any ~ window -%}
count({{ flag }}) as repeat_{{ any }}{{ window }}_index,
case when count({{ flag }}) > 0 then {{ count_if(flag) }} end as repeat_{{ any }}{{ window }}_repeats,
{{ ratio(count_if(flag), 'count(' ~ flag ~ ')') }} as repeat_{{ any }}{{ window }}_rate,
{{ ratio(count_if('not ' ~ flag), 'count(' ~ flag ~ ')') }} as fcr_{{ any }}{{ window }}
{{- ',\n' if not (outer.last and loop.last) }}
{%- endfor %}
{%- endfor %}
{%- endmacro %}
