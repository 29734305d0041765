{{ config(materialized='table', meta={'restates': false}) }}
with
agreement as (
    select * from {{ ref('int_agreement') }}
)

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
    {{ ratio('pairs_exact', 'pairs') }} as exact_share,
    pairs_within_one,
    {{ ratio('pairs_within_one', 'pairs') }} as within_one_share,
    commonest_share,
    case
        when calls < 10 then 'not_enough_data'
        when alpha is null or commonest_share >= 0.95 then 'too_rare'
        when alpha >= 0.8 then 'ok'
        when alpha >= 0.667 then 'tentative'
        else 'recalibrate'
    end as verdict,
    cast(90 as bigint) as window_days,
    {{ as_of_day() }} as as_of_day
from agreement
