{#-
Columns of a mart taken from the daily aggregates that are left-joined to its spine, one aggregate for each domain
(visits, ratings, evaluations ...).
counted(domain, names): numerators and denominators. What was counted; else 0 where the domain was loaded for the
day, wholly or in part; else null: not measured is not zero. `coverage` and `evidence` replace the domain's own
coverage and the proof that something was counted.
observed(domain, names): rates, means and percentiles, null where there is nothing to divide by.
covered(domain): the domain's coverage of the day. Numbers on a day outside every loaded window (a record that
came with a later window) make it 'partial'.
-#}
{% macro counted(domain, names, coverage=none, evidence=none) -%}
{% for name in names.split() -%}
case
    when {{ evidence or domain ~ '.grain_id is not null' }} then {{ domain }}.{{ name }}
    when spine.{{ coverage or domain }}_coverage in ('loaded', 'partial') then coalesce({{ domain }}.{{ name }}, 0)
end as {{ name }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{% macro observed(domain, names) -%}
{% for name in names.split() -%}
{{ domain }}.{{ name }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{% macro covered(domain) -%}
case
    when {{ domain }}.grain_id is not null and spine.{{ domain }}_coverage in ('not_loaded', 'not_configured')
        then 'partial'
    else spine.{{ domain }}_coverage
end as {{ domain }}_coverage
{%- endmacro %}

{#- The row's status by the source that sees contacts; `contacts`: expression that counts them, may be null. -#}
{% macro row_status(domain, contacts) -%}
case
    when {{ domain }}.grain_id is null and spine.contacts_coverage in ('not_loaded', 'not_configured')
        then 'not_loaded'
    when spine.contacts_coverage <> 'loaded' then 'partial'
    when {{ contacts }} > 0 then 'measured'
    else 'no_contacts'
end as status
{%- endmacro %}

{#- CTEs with the touched days of the spine and of each domain's daily aggregate, for one grain. -#}
{% macro spine_and_domains(grain, domains) -%}
with
spine as (
    select * from {{ ref('int_' ~ grain ~ '_spine') }} where {{ in_touched_days('business_day') }}
){% for domain in domains %},

{{ domain }} as (
    select * from {{ ref('int_' ~ domain ~ '_daily') }}
    where {{ in_touched_days('business_day') }} and grain = '{{ grain }}'
){% endfor %}
{%- endmacro %}

{% macro joined_to_spine(grain, domains) -%}
from spine
{% for domain in domains -%}
left join {{ domain }}
    on spine.{{ grain }}_id = {{ domain }}.grain_id and spine.business_day = {{ domain }}.business_day
{% endfor -%}
{%- endmacro %}
