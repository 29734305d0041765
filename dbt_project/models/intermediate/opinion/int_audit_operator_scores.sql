-- Grain: one operator and measure of the last 90 days: what listeners give him (audit, 0 to 100) and what subscribers
-- do (opinion, the mean of a call's criteria, 1 to 5), from all calls and not only those that both judged. Shrunk to
-- the pool by their number; compared with such calls, and with what the same listener usually gives.
with
scores as (
    select
        'audit' as measure,
        operator_id,
        coalesce(evaluator_id, '') as listener_id,
        coalesce(topic_class, 'unmapped') as topic_class,
        coalesce(topic_id, 'unmapped') as topic_id,
        cast(score as numeric(28, 12)) as points
    from {{ ref('fct_evaluations') }}
    where operator_id is not null and score is not null and {{ in_last_days('business_day', 90) }}
    union all
    select
        'opinion' as measure,
        operator_id,
        '' as listener_id,
        coalesce(topic_class, 'unmapped') as topic_class,
        coalesce(topic_id, 'unmapped') as topic_id,
        cast(points_sum as numeric(28, 12)) / criteria_answered as points
    from {{ ref('int_quality_line_calls') }}
    where operator_id is not null and criteria_answered > 0 and {{ in_last_days('business_day', 90) }}
),

cells as (
    select
        measure,
        operator_id,
        listener_id,
        topic_class,
        topic_id,
        count(*) as n,
        sum(points) as x,
        sum(points * points) as x2
    from scores
    group by measure, operator_id, listener_id, topic_class, topic_id
),

standard as (
    {{ expected_by_case_mix('cells', ['measure'], 'operator_id', ['listener_id', 'topic_class', 'topic_id']) }}
),

counted as (
    select
        *,
        'mean' as kind,
        'low' as worse_is,
        10 as least_n
    from standard
),

{{ judged_ctes('counted', ['measure'], 'operator_id') }}

select
    measure,
    operator_id,
    cast(n as bigint) as n,
    adjusted_rate,
    eb_adjusted_rate,
    eb_low,
    eb_high,
    {{ rounded('reliability') }} as reliability,
    coalesce(t_moment > 0, false) as is_distinguishable
from judged
