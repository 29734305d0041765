{{ config(materialized='table') }}
with
agreement as (
    select * from {{ ref('int_audit_agreement') }}
),

solutions as (
    select * from {{ ref('int_audit_solutions') }}
),

scores as (
    select * from {{ ref('int_audit_operator_scores') }}
),

operators as (
    select
        'provider' as grain,
        'all' as grain_id,
        audit.operator_id,
        audit.eb_adjusted_rate as audit_eb,
        audit.reliability as audit_reliability,
        opinion.eb_adjusted_rate as opinion_eb,
        opinion.reliability as opinion_reliability
    from scores as audit
    inner join scores as opinion on audit.operator_id = opinion.operator_id and opinion.measure = 'opinion'
    where audit.measure = 'audit'
),

{{ spearman_ctes('operators', ['grain', 'grain_id'], 'audit_eb', 'opinion_eb') }}

select
    {{ as_of_day() }} as as_of_day,
    agreement.grain,
    agreement.grain_id,
    agreement.pairs,
    agreement.pairs_agreed,
    {{ ratio('agreement.pairs_agreed', 'agreement.pairs') }} as agreed_share,
    {{ wilson_low('agreement.pairs_agreed', 'agreement.pairs') }} as agreed_share_low,
    {{ wilson_high('agreement.pairs_agreed', 'agreement.pairs') }} as agreed_share_high,
    agreement.kappa_linear,
    agreement.kappa_linear_low,
    agreement.kappa_linear_high,
    agreement.kappa_quadratic,
    agreement.kappa_quadratic_low,
    agreement.kappa_quadratic_high,
    agreement.high_audit_low_rating,
    agreement.low_audit_high_rating,
    agreement.audit_score_mean,
    agreement.subscriber_points_mean,
    agreement.gap_mean,
    {{ rounded('agreement.gap_mean - agreement.gap_half_width') }} as gap_mean_low,
    {{ rounded('agreement.gap_mean + agreement.gap_half_width') }} as gap_mean_high,
    {% for name in ['solved_pairs', 'solved_agreed', 'solved_by_audit_only', 'solved_by_subscriber_only'] -%}
        case when agreement.grain <> 'listener' then coalesce(solutions.{{ name }}, 0) end as {{ name }},
    {% endfor -%}
    operators.audit_eb as operator_audit_eb,
    operators.audit_reliability as operator_audit_reliability,
    operators.opinion_eb as operator_opinion_eb,
    operators.opinion_reliability as operator_opinion_reliability,
    correlated.points as operators_correlated,
    correlated.spearman,
    correlated.spearman_low,
    correlated.spearman_high
from agreement
left join solutions on agreement.grain = solutions.grain and agreement.grain_id = solutions.grain_id
left join operators on agreement.grain = 'operator' and agreement.grain_id = operators.operator_id
left join correlated on agreement.grain = correlated.grain and agreement.grain_id = correlated.grain_id
