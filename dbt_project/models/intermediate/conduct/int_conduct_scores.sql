-- Grain: period x aspect x operator x test, where a test is one signal or all signals together. q over all operators
-- and tests of the aspect in the period.
{% set columns = ['period', 'aspect', 'test', 'operator_id', 'spread', 'z'] | join(', ') -%}
with
tests as (
    select {{ columns }} from {{ ref('int_conduct_signal_scores') }}
    union all
    select {{ columns }} from {{ ref('int_conduct_together') }}
),

tested as (
    select
        *,
        {{ two_sided_p('z') }} as p_value
    from tests
),

ranked as (
    select
        *,
        {{ ranked_p('p_value', 'period, aspect') }}
    from tested
),

corrected as (
    select
        *,
        {{ q_value('p_value', 'period, aspect') }} as q_value
    from ranked
)

select
    period,
    aspect,
    test,
    operator_id,
    spread,
    z,
    {{ rounded('p_value', 12) }} as p_value,
    {{ rounded('q_value', 12) }} as q_value,
    case
        when q_value <= 0.05 and z >= {{ z_95() }} then 'worse'
        when q_value <= 0.05 and z <= -{{ z_95() }} then 'better'
        else 'usual'
    end as verdict
from corrected
