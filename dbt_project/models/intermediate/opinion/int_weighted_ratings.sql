-- Grain: one operator, branch or topic and criterion of the last 28 days. Sums for the means as given and as weighted,
-- and for their variances. An answer that belongs to no eligible call has no stratum and keeps the weight 1.
with
calls as (
    select
        *,
        coalesce(topic_id, 'unmapped') as known_topic_id
    from {{ ref('int_quality_line_calls') }}
    where {{ in_last_days('business_day', 28) }}
),

answers as (
    {% for criterion in rating_criteria().split() -%}
        select
            '{{ criterion }}' as criterion,
            operator_id,
            branch_id,
            known_topic_id as topic_id,
            talk_band,
            wait_band,
            is_eligible,
            {{ criterion }}_answered as answered,
            {{ criterion }}_sum as points
        from calls
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

weighted as (
    select
        answers.*,
        cast(coalesce(weights.weight, 1) as numeric(28, 9)) as weight,
        answers.answered > 0 and coalesce(weights.is_cut, false) as is_cut,
        case when answers.answered > 0 then coalesce(weights.level, 0) end as level
    from answers
    left join {{ ref('int_rating_weights') }} as weights
        on
            answers.is_eligible
            and answers.criterion = weights.criterion
            and answers.topic_id = weights.topic_id
            and answers.talk_band = weights.talk_band
            and answers.wait_band = weights.wait_band
)

{% for grain in ['operator', 'branch', 'topic'] %}
    select
        '{{ grain }}' as grain,
        {{ grain }}_id as grain_id,
        criterion,
        {{ count_if('is_eligible') }} as calls_eligible,
        {{ count_if('is_eligible and answered > 0') }} as calls_answered,
        {{ sum_of('answered') }} as answers,
        {{ sum_of('answered', 'not is_eligible') }} as answers_without_call,
        {{ sum_of('answered', 'is_cut') }} as answers_cut,
        {{ sum_of('answered', 'level = 3') }} as answers_at_full_detail,
        {{ sum_of('points') }} as points,
        {{ rounded('sum(cast(points as numeric(28, 12)) * points / nullif(answered, 0))') }} as points_squared,
        {{ rounded('sum(weight * answered)') }} as w,
        {{ rounded('sum(weight * points)') }} as wx,
        {{ rounded('sum(weight * weight * answered)') }} as w2,
        {{ rounded('sum(weight * weight * points)') }} as w2x,
        {{ rounded('sum(weight * weight * points * points / nullif(answered, 0))') }} as w2xx
    from weighted
    where {{ grain }}_id is not null
    group by {{ grain }}_id, criterion
    {{ 'union all' if not loop.last }}
{%- endfor %}
