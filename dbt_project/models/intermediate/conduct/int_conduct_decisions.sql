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

twice as (
    select
        later.operator_id,
        later.aspect,
        later.test,
        later.verdict = 'worse' and before.verdict = 'worse' as is_worse,
        least(later.z, before.z) >= {{ z_95() }} and greatest(later.z, before.z) >= {{ z_998() }} as is_near,
        greatest(later.q_value, before.q_value) as q_value
    from scores as later
    inner join scores as before
        on later.operator_id = before.operator_id and later.aspect = before.aspect and later.test = before.test
    where later.period = 0 and before.period = 1
),

compared as (
    select
        operator_id,
        aspect,
        bool_or(is_worse) as is_worse,
        bool_or(is_near) as is_near,
        min(case when is_worse then q_value end) as wrong_share_by_fdr,
        {{ dbt.listagg("case when is_worse then test end", "', '", "order by test") }} as tests_worse_twice
    from twice
    group by operator_id, aspect
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
