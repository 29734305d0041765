{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
calls as (
    select
        *,
        coalesce(topic_id, 'unmapped') as known_topic_id
    from {{ ref('callbacks') }}
    where {{ in_reach(42, 0) }}
),

counted as (
    select
        branch_id,
        known_topic_id as topic_id,
        key_moment,
        {{ callback_measures() }},
        business_day
    from calls
    group by branch_id, known_topic_id, key_moment, business_day
),

topics as (
    select * from {{ ref('int_topics') }}
)

select
    counted.branch_id,
    counted.topic_id,
    topics.topic_class,
    counted.key_moment,
    {{ callback_amounts('counted') }},
    {{ callback_share_columns('counted') }},
    {{ ratio('counted.satisfaction_sum', 'counted.satisfaction_count') }} as satisfaction_mean,
    counted.business_day
from counted
left join topics
    on counted.topic_id = topics.topic_id and {{ holds_on('topics', 'counted.business_day') }}
