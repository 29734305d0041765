-- Grain: period x aspect x operator x test, where a test is one signal or all signals together: their scores added
-- and divided by the spread such a sum has, given how far signals say the same (Stouffer 1949, with correlations).
-- q over all operators and tests of the aspect in the period.
with
signals as (
    select * from {{ ref('int_conduct_signal_scores') }}
),

-- How far two signals say the same, over both periods; scores beyond 2 count as 2, so that a few people do not make it.
drawn_in as (
    select
        *,
        least(greatest(z, -2), 2) as drawn
    from signals
),

pairs as (
    select
        one.aspect,
        one.test,
        other.test as other_test,
        count(*) as n,
        sum(one.drawn) as x,
        sum(other.drawn) as y,
        sum(one.drawn * one.drawn) as xx,
        sum(other.drawn * other.drawn) as yy,
        sum(one.drawn * other.drawn) as xy
    from drawn_in as one
    inner join drawn_in as other
        on one.period = other.period and one.aspect = other.aspect and one.operator_id = other.operator_id
    group by one.aspect, one.test, other.test
),

correlated as (
    select
        aspect,
        test,
        other_test,
        case
            when test = other_test then 1
            else greatest(coalesce(round(
                (n * xy - x * y) / nullif(sqrt((n * xx - x * x) * (n * yy - y * y)), 0), 6
            ), 0), 0)
        end as correlation
    from pairs
),

added as (
    select
        one.period,
        one.aspect,
        'together' as test,
        one.operator_id,
        count(distinct one.test) as signals,
        sum(case when one.test = other.test then one.z else 0 end) / sqrt(sum(correlated.correlation)) as score
    from signals as one
    inner join signals as other
        on one.period = other.period and one.aspect = other.aspect and one.operator_id = other.operator_id
    inner join correlated
        on one.aspect = correlated.aspect and one.test = correlated.test and other.test = correlated.other_test
    group by one.period, one.aspect, one.operator_id
),

together_scored as (
    select * from added
    where signals >= 2
),

{{ empirical_null_ctes('together_scored', 'together', ['period', 'aspect']) }},

tests as (
    select
        period,
        aspect,
        test,
        operator_id,
        spread,
        z
    from signals
    union all
    select
        period,
        aspect,
        test,
        operator_id,
        together_spread as spread,
        together_z as z
    from together
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
