-- Grain: period x aspect x operator of whom at least two signals are judged. All signals together: their scores added
-- and divided by the spread such a sum has, given how far signals say the same (Stouffer 1949, with correlations).
with
signals as (
    select * from {{ ref('int_conduct_signal_scores') }}
),

correlated as (
    select * from {{ ref('int_conduct_correlations') }}
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

{{ empirical_null_ctes('together_scored', 'together', ['period', 'aspect']) }}

select
    period,
    aspect,
    test,
    operator_id,
    together_spread as spread,
    together_z as z
from together
