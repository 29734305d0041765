-- Grain: one provider, branch, operator or listener. How far listeners and subscribers agree on the calls both judged
-- in the last 90 days: bands, and the mean gap on the scale 0 to 100 (1 point is 0, 5 points are 100).
with
units as (
    select
        grain,
        grain_id,
        audit_band,
        subscriber_band,
        cast(audit_score as numeric(28, 9)) as score,
        cast(subscriber_points as numeric(28, 9)) as points,
        cast(audit_score as numeric(28, 9)) - 25 * (cast(subscriber_points as numeric(28, 9)) - 1) as gap
    from {{ ref('int_audit_units') }}
),

cells as (
    select
        grain,
        grain_id,
        {{ band_number('audit_band') }} as class_a,
        {{ band_number('subscriber_band') }} as class_b,
        count(*) as n
    from units
    group by grain, grain_id, audit_band, subscriber_band
),

{{ kappa_ctes('cells', ['grain', 'grain_id']) }},

sums as (
    select
        grain,
        grain_id,
        count(*) as pairs,
        sum(score) / count(*) as audit_score_mean,
        sum(points) / count(*) as subscriber_points_mean,
        sum(gap) / count(*) as gap_mean,
        (sum(gap * gap) - sum(gap) * sum(gap) / count(*)) / nullif(count(*) - 1, 0) as gap_variance,
        {{ count_if("audit_band = 'high' and subscriber_band = 'low'") }} as high_audit_low_rating,
        {{ count_if("audit_band = 'low' and subscriber_band = 'high'") }} as low_audit_high_rating
    from units
    group by grain, grain_id
)

-- An interval by the normal distribution says nothing about a few pairs: kappa's covers 0.88 at 30, 0.92 at 50.
select
    sums.grain,
    sums.grain_id,
    sums.pairs,
    sums.high_audit_low_rating,
    sums.low_audit_high_rating,
    {% for name in ['audit_score_mean', 'subscriber_points_mean', 'gap_mean'] -%}
        {{ rounded('sums.' ~ name) }} as {{ name }},
    {% endfor -%}
    agreed.agreed_cases as pairs_agreed,
    {% for kind in ['linear', 'quadratic'] -%}
        {% for part in ['', '_low', '_high'] -%}
            case when sums.pairs >= 50 then agreed.kappa_{{ kind }}{{ part }} end as kappa_{{ kind }}{{ part }},
        {% endfor %}
    {%- endfor %}
    case
        when sums.pairs >= 10 and sums.gap_variance > 0
            then {{ rounded(z_95() ~ ' * sqrt(sums.gap_variance / sums.pairs)') }}
    end as gap_half_width
from sums
inner join agreed on sums.grain = agreed.grain and sums.grain_id = agreed.grain_id
