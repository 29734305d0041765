{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
contacts as (
    select * from {{ ref('fct_contacts') }}
    where is_handled and subscriber_id is not null and {{ near_touched_days('business_day', 0, 32) }}
),

-- Contacts may begin in the same second: the order is total, and nothing repeats itself.
followed as (
    select
        *,
        lead(started_at) over (partition by subscriber_id order by started_at, contact_id) as next_at,
        lead(started_at) over (partition by subscriber_id, topic_id order by started_at, contact_id) as next_same_at
    from contacts
),

touched as (
    select
        *,
        case when next_at <= {{ add_seconds('started_at', 30 * 86400) }} then next_at end as next_contact_at,
        case when next_same_at <= {{ add_seconds('started_at', 30 * 86400) }} then next_same_at end
            as next_same_topic_at
    from followed
    where {{ in_touched_days('business_day') }}
)

select
    contact_id,
    subscriber_id,
    topic_id,
    topic_class,
    first_operator_id as operator_id,
    branch_id,
    started_at,
    next_contact_at,
    next_same_topic_at,
    {{ came_back_within('next_same_topic_at', 1) }} as is_repeat_24h,
    {{ came_back_within('next_same_topic_at', 7) }} as is_repeat_7d,
    {{ came_back_within('next_same_topic_at', 30) }} as is_repeat_30d,
    {{ came_back_within('next_contact_at', 1) }} as is_repeat_any_24h,
    {{ came_back_within('next_contact_at', 7) }} as is_repeat_any_7d,
    {{ came_back_within('next_contact_at', 30) }} as is_repeat_any_30d,
    business_day
from touched
