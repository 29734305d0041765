select
    criterion_id,
    kind,
    metric,
    calls,
    listeners,
    evaluations,
    alpha,
    alpha_low,
    alpha_high,
    pairs,
    pairs_exact,
    pairs_within_one,
    commonest_share
from {{ source('calculated', 'calculated_agreement') }}
