-- Grain: operator x aspect. Listed for review: one and the same test is worse in both periods. Watched: a test is worse
-- in the later period only, or the same one is beyond its 95 % limit in both and its 99.8 % limit in one.
with
everybody as (
    select distinct
        operator_id,
        aspect
    from {{ ref('int_conduct_judged') }}
),

scores as (
    select * from {{ ref('int_conduct_scores') }}
),

periods as (
    select
        operator_id,
        aspect,
        period,
        case
            when bool_or(verdict = 'worse') then 'worse'
            when bool_or(test = 'together' and verdict = 'better') then 'better'
            else 'usual'
        end as verdict,
        max(case when test = 'together' then z end) as score
    from scores
    group by operator_id, aspect, period
),

compared as (
    select * from {{ ref('int_conduct_both_periods') }}
),

-- The signal that is furthest on the worse side over both periods.
strongest as (
    select
        operator_id,
        aspect,
        test as signal,
        row_number() over (partition by operator_id, aspect order by sum(z) desc, test) as signal_rank
    from scores
    where test <> 'together'
    group by operator_id, aspect, test
)

select
    everybody.operator_id,
    everybody.aspect,
    case
        when compared.is_worse then 'review'
        when later.verdict = 'worse' or compared.is_near then 'watch'
        when compared.is_worse is null then 'not_enough_data'
        else 'usual'
    end as state,
    coalesce(later.verdict, 'not_enough_data') as verdict_latest,
    coalesce(before.verdict, 'not_enough_data') as verdict_before,
    later.score as score_latest,
    before.score as score_before,
    compared.tests_worse_twice,
    compared.wrong_share_by_fdr,
    strongest.signal as leading_signal
from everybody
left join compared on everybody.operator_id = compared.operator_id and everybody.aspect = compared.aspect
left join periods as later
    on everybody.operator_id = later.operator_id and everybody.aspect = later.aspect and later.period = 0
left join periods as before
    on everybody.operator_id = before.operator_id and everybody.aspect = before.aspect and before.period = 1
left join strongest
    on
        everybody.operator_id = strongest.operator_id and everybody.aspect = strongest.aspect
        and strongest.signal_rank = 1
