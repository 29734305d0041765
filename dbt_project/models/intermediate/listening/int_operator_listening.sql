{{ config(pre_hook="{{ hashed_joins() }}") }}
-- Grain: one operator and measure over the 90 days up to the as-of day: what his listened calls gave, and what such
-- calls usually get from the same listeners. A call counts by its weight; an operator's weights are scaled to the
-- number of calls that would tell as much if all weights were equal (Kish).
with
heard as (
    select * from {{ ref('int_listening_heard') }} where {{ in_last_days('business_day', 90) }}
),

pool as (
    select * from {{ ref('int_listening_pool') }} where {{ in_last_days('business_day', 90) }}
),

{{ weighted_ctes('heard', 'pool') }},

values_heard as (
    {% for measure in listening_measures() %}
        select
            *,
            '{{ measure.name }}' as measure,
            weight / count(*) over (partition by contact_id) as part,
            cast({{ measure.value }} as numeric(28, 12)) as y
        from weighted
        where {{ measure.value }} is not null and operator_id is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

scaled as (
    select
        measure,
        operator_id,
        evaluator_id,
        topic_class,
        length_band,
        y,
        part * sum(part) over same / sum(weight * part) over same as w
    from values_heard
    window same as (partition by measure, operator_id)
),

cells as (
    select
        measure,
        operator_id,
        evaluator_id,
        topic_class,
        length_band,
        sum(w) as n,
        sum(w * y) as x,
        sum(w * y * y) as x2
    from scaled
    group by measure, operator_id, evaluator_id, topic_class, length_band
),

expected as (
    {{ expected_by_case_mix('cells', ['measure'], 'operator_id', ['evaluator_id', 'topic_class', 'length_band']) }}
),

counted as (
    select
        *,
        {{ of_measure('kind') }} as kind,
        {{ of_measure('worse_is') }} as worse_is,
        20 as least_n
    from expected
),

{{ judged_ctes('counted', ['measure'], 'operator_id') }}

select
    measure,
    operator_id,
    {{ rounded('n', 3) }} as n,
    pooled_rate,
    {{ rounded('expected / n') }} as expected_rate,
    adjusted_rate,
    eb_adjusted_rate,
    eb_low,
    eb_high,
    {{ rounded('reliability') }} as reliability,
    {{ rounded('z', 6) }} as z,
    {{ rounded('p_value') }} as p_value,
    {{ rounded('q_value') }} as q_value,
    funnel_position,
    verdict,
    place
from judged
