{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- Grain: one item of one evaluation, read as the criterion that its form's version asks about.
with
evaluations as (
    select * from {{ ref('fct_evaluations') }}
    where {{ in_touched_days('business_day') }}
),

items as (
    select * from {{ ref('stg_crm__evaluation_items') }}
),

bridge as (
    select * from {{ ref('evaluation_items_bridge') }}
),

joined as (
    select
        items.evaluation_id,
        items.item_id,
        coalesce(own.criterion_id, any_version.criterion_id, items.item_id) as criterion_id,
        items.score,
        items.max_score,
        items.weight,
        coalesce(items.is_applicable, true) as is_applicable,
        coalesce(items.is_fatal, false) as is_fatal,
        coalesce(items.is_fatal and items.is_failed, false) as is_fatal_error,
        items.fatal_kind,
        coalesce(items.is_applicable, true)
        and items.score is not null and items.max_score > 0 and items.weight is not null as counts,
        evaluations.business_day
    from evaluations
    inner join items on evaluations.evaluation_id = items.evaluation_id
    left join bridge as own
        on
            evaluations.form_id = own.form_id
            and evaluations.form_version = own.form_version
            and items.item_id = own.item_id
    left join bridge as any_version
        on
            evaluations.form_id = any_version.form_id
            and any_version.form_version = '*'
            and items.item_id = any_version.item_id
),

weighted as (
    select
        *,
        cast(weight as numeric(28, 9)) / nullif(
            sum(case when counts then cast(weight as numeric(28, 9)) else 0 end) over (partition by evaluation_id), 0
        ) as weight_share
    from joined
)

select
    evaluation_id,
    item_id,
    criterion_id,
    score,
    max_score,
    weight,
    is_applicable,
    is_fatal,
    is_fatal_error,
    fatal_kind,
    case when counts then {{ rounded('weight_share') }} end as weight_share,
    case when counts then {{ rounded('score / max_score') }} end as score_share,
    case
        when counts then {{ rounded('100 * weight_share * cast(score / max_score as numeric(28, 12))') }}
    end as points,
    business_day
from weighted
