-- Grain: one provider, branch, operator or listener and call that both a listener and its subscriber judged in the last
-- 90 days. Under `listener` a call stands once for each of its listeners, with that listener's own score.
with
pairs as (
    select * from {{ ref('audit_pairs') }}
    where audit_score is not null and subscriber_points is not null and {{ in_last_days('business_day', 90) }}
),

listeners as (
    select
        contact_id,
        operator_id,
        evaluator_id,
        {{ rounded('avg(cast(score as ' ~ dbt.type_numeric() ~ '))') }} as audit_score
    from {{ ref('fct_evaluations') }}
    where evaluator_id is not null and score is not null and {{ in_last_days('business_day', 90) }}
    group by contact_id, operator_id, evaluator_id
),

units as (
    {% for grain, id in {'provider': "'all'", 'branch': 'branch_id', 'operator': 'operator_id'}.items() -%}
        select
            '{{ grain }}' as grain,
            {{ id }} as grain_id,
            contact_id,
            operator_id,
            audit_score,
            subscriber_points
        from pairs
        union all
    {% endfor -%}
    select
        'listener' as grain,
        listeners.evaluator_id as grain_id,
        pairs.contact_id,
        pairs.operator_id,
        listeners.audit_score,
        pairs.subscriber_points
    from pairs
    inner join listeners on pairs.contact_id = listeners.contact_id and pairs.operator_id = listeners.operator_id
)

select
    grain,
    grain_id,
    contact_id,
    operator_id,
    audit_score,
    subscriber_points,
    {{ audit_band('audit_score') }} as audit_band,
    {{ opinion_band('subscriber_points') }} as subscriber_band
from units
where grain_id is not null
