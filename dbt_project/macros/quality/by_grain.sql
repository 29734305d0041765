{#-
One aggregate for several grains, stacked: grain, grain_id, `measures`, business_day (last).
rows: a relation with operator_id, branch_id, topic_id (those of `grains`) and business_day. Rows without the
grain's id count for the other grains; what has no topic counts in the bucket 'unmapped'.
-#}
{% macro by_grain(rows, measures, grains=['operator', 'branch', 'topic']) -%}
{% for grain in grains %}
{%- set id = "coalesce(topic_id, 'unmapped')" if grain == 'topic' else grain ~ '_id' %}
select
    cast('{{ grain }}' as {{ dbt.type_string() }}) as grain,
    {{ id }} as grain_id,
    {{ measures }},
    business_day
from {{ rows }}
where {{ id }} is not null
group by {{ id }}, business_day
{{ 'union all' if not loop.last }}
{%- endfor %}
{%- endmacro %}
