{{ config(materialized='table', meta={'restates': false}) }}
with
biases as (
    select * from {{ ref('int_listener_bias') }}
),

heard as (
    select
        evaluator_id,
        count(*) as evaluations,
        count(score_raw) as evaluations_scored,
        {{ exact_sum('score_raw') }} as score_raw_sum
    from {{ ref('fct_evaluations') }}
    where evaluator_id is not null and {{ in_last_days('business_day', 90) }}
    group by evaluator_id
)

select
    heard.evaluator_id,
    heard.evaluations,
    {{ ratio('heard.score_raw_sum', 'heard.evaluations_scored') }} as score_raw_mean,
    coalesce(biases.calls, 0) as calls_shared,
    coalesce(biases.group_listeners, 0) as group_listeners,
    biases.loo_difference,
    biases.bias,
    biases.bias_error,
    biases.bias_shrunk,
    biases.bias_low,
    biases.bias_high,
    biases.reliability,
    biases.p_value,
    biases.q_value,
    case
        when biases.p_value is null then 'not_enough_data'
        when biases.q_value <= 0.05 and biases.bias_shrunk <= -{{ var('listening_bias_points') }} then 'harsh'
        when biases.q_value <= 0.05 and biases.bias_shrunk >= {{ var('listening_bias_points') }} then 'lenient'
        else 'usual'
    end as verdict,
    cast(90 as bigint) as window_days,
    {{ as_of_day() }} as as_of_day
from heard
left join biases on heard.evaluator_id = biases.evaluator_id
