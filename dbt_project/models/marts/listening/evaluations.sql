{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 7, 'after': 120}}
    )
}}
with
heard as (
    select * from {{ ref('int_listening_heard') }}
    where {{ in_reach(7, 120) }}
),

items as (
    select * from {{ ref('int_evaluation_items') }}
    where {{ in_reach(7, 120) }}
)

select
    heard.evaluation_id,
    items.item_id,
    items.criterion_id,
    heard.contact_id,
    heard.operator_id,
    heard.evaluator_id,
    heard.branch_id,
    heard.topic_id,
    heard.topic_class,
    heard.length_band,
    heard.form_id,
    heard.form_version,
    heard.evaluated_at,
    items.score as item_score,
    items.max_score as item_max_score,
    items.weight as item_weight,
    items.is_applicable,
    items.weight_share,
    items.score_share,
    items.points,
    items.is_fatal,
    items.is_fatal_error,
    items.fatal_kind,
    heard.score_raw,
    heard.score,
    heard.fatal_errors,
    heard.tone,
    heard.is_rude,
    heard.is_solved,
    heard.stream,
    heard.reason,
    heard.pi,
    heard.pi_source,
    heard.pi_source is not null as is_in_means,
    heard.business_day
from heard
-- Equal days would be merged by their indexes: each evaluation of a day with all items of that day.
inner join items
    on heard.evaluation_id = items.evaluation_id and heard.business_day is not distinct from items.business_day
