{{ config(materialized='table') }}
with
sums as (
    select
        *,
        {{ ratio('points', 'answers') }} as raw,
        wx / nullif(w, 0) as weighted
    from {{ ref('int_weighted_ratings') }}
),

-- The variance of a ratio of sums, by linearisation.
spread as (
    select
        *,
        case
            when answers >= 10 then
                greatest(points_squared - points * raw, 0) / answers / (answers - 1)
        end as raw_variance,
        case
            when answers >= 10 then
                greatest(w2xx - 2 * weighted * w2x + weighted * weighted * w2, 0) / (w * w) * answers / (answers - 1)
        end as weighted_variance
    from sums
)

select
    {{ as_of_day() }} as as_of_day,
    grain,
    grain_id,
    criterion,
    calls_eligible,
    calls_answered,
    {{ ratio('calls_answered', 'calls_eligible') }} as answered_of_eligible_share,
    answers,
    answers_without_call,
    points as points_sum,
    {{ rounded('raw') }} as raw_mean,
    {{ mean_limit('raw', '-') }} as raw_mean_low,
    {{ mean_limit('raw', '+') }} as raw_mean_high,
    {{ rounded('case when answers > 0 then w end') }} as weights_sum,
    {{ rounded('case when answers > 0 then wx end') }} as weighted_points_sum,
    {{ rounded('weighted') }} as weighted_mean,
    {{ mean_limit('weighted', '-') }} as weighted_mean_low,
    {{ mean_limit('weighted', '+') }} as weighted_mean_high,
    {{ rounded('weighted - raw') }} as weighted_minus_raw,
    {{ rounded('w * w / nullif(w2, 0)') }} as effective_answers,
    answers_cut,
    answers_at_full_detail
from spread
