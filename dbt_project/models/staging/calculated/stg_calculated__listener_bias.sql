select
    evaluator_id,
    calls,
    loo_difference,
    bias,
    bias_error,
    group_listeners
from {{ source('calculated', 'calculated_listener_bias') }}
