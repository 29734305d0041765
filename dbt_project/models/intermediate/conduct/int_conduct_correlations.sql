-- Grain: aspect x test x other test, where a test is one signal. How far two signals say the same, 0 to 1, over both
-- periods and all operators who have both.
with
signals as (
    select * from {{ ref('int_conduct_signal_scores') }}
),

-- Scores beyond 2 count as 2, so that a few people do not make it.
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
)

-- Signals that say the opposite count as saying nothing of each other.
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
