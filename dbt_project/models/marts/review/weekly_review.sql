{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
topics as (
    select * from {{ ref('int_topics') }}
),

weeks as (
    select * from {{ ref('int_review_weeks') }} where {{ in_reach(48, 127, 'week_start') }}
),

together as (
    select * from {{ ref('int_review_rows') }} where {{ in_reach(48, 127, 'week_start') }}
)

select
    together.branch_id,
    {{ iso_week('together.week_start') }} as iso_week,
    together.section,
    together.place,
    together.item,
    together.topic_id,
    coalesce(topics.topic_name, together.item) as title,
    together.kind,
    {{ rounded('together.value') }} as value,
    {{ rounded('together.value_before') }} as value_before,
    {{ rounded("case
        when together.verdict = 'incomplete' then null
        when together.kind = 'count' then together.value / nullif(together.value_before, 0) - 1
        else together.value - together.value_before
    end") }} as change,
    together.value_low,
    together.value_high,
    {{ rounded('together.expected') }} as expected,
    together.usual_low,
    together.usual_high,
    together.n as observations,
    together.x as events,
    {{ rounded('together.z') }} as surprise,
    {{ rounded('together.p_value') }} as p_value,
    {{ rounded('together.q_value') }} as q_value,
    together.verdict,
    together.note,
    coalesce(weeks.days_loaded, 0) as days_loaded,
    coalesce(weeks.is_complete, false) as is_complete,
    together.week_start as business_day
from together
left join weeks on together.branch_id = weeks.branch_id and together.week_start = weeks.week_start
left join topics on together.topic_id = topics.topic_id and {{ holds_on('topics', 'together.week_start') }}
