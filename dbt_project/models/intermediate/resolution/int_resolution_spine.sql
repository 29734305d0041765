{{ config(materialized='view') }}
-- Who or what resolution is measured for, with what was loaded: the rows of the three spines, and the classes of the
-- topics on the day.
{%- set columns -%}
repeats_coverage,
    surveys_coverage as contact_surveys_coverage,
    evaluations_coverage,
    case when tickets_coverage = 'not_configured' then tickets_coverage else repeats_coverage end as first_line_coverage,
    ticket_events_coverage,
    business_day
{%- endset %}
{% for grain in ['operator', 'branch', 'topic'] %}
select
    cast('{{ grain }}' as {{ dbt.type_string() }}) as grain,
    {{ grain }}_id as grain_id,
    {{ columns }}
from {{ ref('int_' ~ grain ~ '_spine') }}
union all
{%- endfor %}
select distinct
    cast('topic_class' as {{ dbt.type_string() }}) as grain,
    coalesce(topic_class, 'unmapped') as grain_id,
    {{ columns }}
from {{ ref('int_topic_spine') }}
