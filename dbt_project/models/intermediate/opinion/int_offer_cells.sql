-- Grain: one operator or branch, measure, topic class, topic and queue of the last 28 days. Who was asked to rate, in
-- three measures: asked (of the eligible calls), ended_by_operator (of those one of the two hung up) and
-- asked_when_ended (of those the operator ended, which the PBX should send to the menu).
with
calls as (
    select
        operator_id,
        branch_id,
        coalesce(topic_class, 'unmapped') as topic_class,
        coalesce(topic_id, 'unmapped') as topic_id,
        queue,
        ended_by,
        case when is_asked then 1 else 0 end as asked,
        case when ended_by = 'operator' then 1 else 0 end as ended
    from {{ ref('int_quality_line_calls') }}
    where is_eligible and {{ in_last_days('business_day', 28) }}
)

{%- set measures = {
    'asked': ('asked', 'true'),
    'ended_by_operator': ('ended', "ended_by in ('operator', 'subscriber')"),
    'asked_when_ended': ('asked', "ended_by = 'operator'"),
} %}
{% for grain in ['operator', 'branch'] %}
    {%- set outer = loop -%}
    {%- for measure, (outcome, condition) in measures.items() %}
        select
            '{{ grain }}' as grain,
            '{{ measure }}' as measure,
            {{ grain }}_id as grain_id,
            topic_class,
            topic_id,
            {# A branch has queues of its own: compared within them it would be compared with itself. #}
            {{ 'queue' if grain == 'operator' else "'any'" }},
            count(*) as n,
            sum({{ outcome }}) as x,
            sum({{ outcome }}) as x2
        from calls
        where {{ grain }}_id is not null and {{ condition }}
        group by {{ grain }}_id, topic_class, topic_id{{ ', queue' if grain == 'operator' }}
        {{ 'union all' if not (outer.last and loop.last) }}
    {%- endfor %}
{%- endfor %}
