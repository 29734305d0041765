-- Grain: one criterion, topic, talk band and wait band of the last 28 days. How much an answer from there weighs, so
-- that the answers speak for all calls that could have been rated: the share of answers over all calls, divided by the
-- share in the stratum. A stratum with fewer than 50 calls or 10 answers goes by its parent: without the wait, then
-- without the talk, then all calls (weight 1). More than 3 is cut to 3: one call must not speak for too many.
with
calls as (
    select * from {{ ref('int_quality_line_calls') }}
    where is_eligible and {{ in_last_days('business_day', 28) }}
),

strata as (
    {% for criterion in rating_criteria().split() -%}
        select
            '{{ criterion }}' as criterion,
            coalesce(topic_id, 'unmapped') as topic_id,
            talk_band,
            wait_band,
            cast(count(*) as numeric(28, 12)) as n_3,
            cast({{ count_if(criterion ~ '_answered > 0') }} as numeric(28, 12)) as x_3
        from calls
        group by coalesce(topic_id, 'unmapped'), talk_band, wait_band
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

parents as (
    select
        *,
        sum(n_3) over (partition by criterion) as n_0,
        sum(x_3) over (partition by criterion) as x_0,
        sum(n_3) over (partition by criterion, topic_id) as n_1,
        sum(x_3) over (partition by criterion, topic_id) as x_1,
        sum(n_3) over (partition by criterion, topic_id, talk_band) as n_2,
        sum(x_3) over (partition by criterion, topic_id, talk_band) as x_2
    from strata
),

priced as (
    select
        *,
        case
            {% for level in [3, 2, 1] -%}
                when n_{{ level }} >= 50 and x_{{ level }} >= 10 then {{ level }}
            {% endfor -%}
            else 0
        end as level,
        case
            {% for level in [3, 2, 1] -%}
                when n_{{ level }} >= 50 and x_{{ level }} >= 10 then x_0 / n_0 * n_{{ level }} / x_{{ level }}
            {% endfor -%}
            else 1
        end as weight_uncut
    from parents
)

select
    criterion,
    topic_id,
    talk_band,
    wait_band,
    cast(n_3 as bigint) as calls_eligible,
    cast(x_3 as bigint) as calls_answered,
    level,
    {{ rounded('least(weight_uncut, 3)') }} as weight,
    weight_uncut > 3 as is_cut
from priced
