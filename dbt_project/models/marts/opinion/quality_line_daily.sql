{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- What is counted of the ratings is int_ratings_daily's: the same figures as in the quality marts.
with
spine as (
    {% for grain in ['operator', 'branch', 'topic'] -%}
        select
            '{{ grain }}' as grain,
            {{ grain }}_id as grain_id,
            contacts_coverage,
            visits_coverage,
            ratings_coverage,
            business_day
        from {{ ref('int_' ~ grain ~ '_spine') }}
        where {{ in_touched_days('business_day') }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

quality_line as (
    select * from {{ ref('int_quality_line_daily') }} where {{ in_touched_days('business_day') }}
),

ratings as (
    select * from {{ ref('int_ratings_daily') }} where {{ in_touched_days('business_day') }}
)

select
    spine.grain,
    spine.grain_id,
    {{ row_status('quality_line', 'quality_line.calls_eligible + quality_line.calls_asked_not_eligible') }},
    case
        when quality_line.calls_eligible > 0 and spine.visits_coverage in ('not_loaded', 'not_configured')
            then 'partial'
        else spine.visits_coverage
    end as visits_coverage,
    {{ covered('ratings') }},
    {{ counted('quality_line', 'calls_eligible calls_ended_by_operator calls_ended_by_subscriber
        calls_ended_by_transfer calls_ended_by_unknown', coverage='visits',
        evidence='quality_line.calls_eligible > 0') }},
    {{ counted('quality_line', 'calls_eligible_asked calls_asked_not_eligible', coverage='ratings',
        evidence='ratings.grain_id is not null') }},
    {{ rating_columns() }},
    {{ rating_distribution_columns() }},
    case
        when spine.ratings_coverage in ('loaded', 'partial') or ratings.grain_id is not null
            then quality_line.offer_share
    end as offer_share,
    {{ ratio('ratings.calls_rated', 'ratings.calls_asked') }} as answer_share,
    {{ ratio('ratings.calls_rated_complete', 'ratings.calls_asked') }} as complete_share,
    quality_line.ended_by_operator_share,
    spine.business_day
from spine
left join quality_line
    on
        spine.grain = quality_line.grain
        and spine.grain_id = quality_line.grain_id
        and spine.business_day = quality_line.business_day
left join ratings
    on
        spine.grain = ratings.grain
        and spine.grain_id = ratings.grain_id
        and spine.business_day = ratings.business_day
