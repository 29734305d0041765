-- Grain: operator x aspect with a test in both periods. What both periods say of one and the same test: worse in both,
-- or beyond the 95 % limit in both and the 99.8 % limit in one.
with
scores as (
    select * from {{ ref('int_conduct_scores') }}
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
)

select
    operator_id,
    aspect,
    bool_or(is_worse) as is_worse,
    bool_or(is_near) as is_near,
    min(case when is_worse then q_value end) as wrong_share_by_fdr,
    {{ dbt.listagg("case when is_worse then test end", "', '", "order by test") }} as tests_worse_twice
from twice
group by operator_id, aspect
