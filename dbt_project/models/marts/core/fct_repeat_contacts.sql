{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as contact_id,
    cast(null as text) as subscriber_id,
    cast(null as text) as topic_id,
    cast(null as text) as topic_class,
    cast(null as text) as operator_id,
    cast(null as text) as branch_id,
    cast(null as timestamptz) as started_at,
    cast(null as timestamptz) as next_contact_at,
    cast(null as timestamptz) as next_same_topic_at,
    cast(null as boolean) as is_repeat_24h,
    cast(null as boolean) as is_repeat_7d,
    cast(null as boolean) as is_repeat_30d,
    cast(null as boolean) as is_repeat_any_24h,
    cast(null as boolean) as is_repeat_any_7d,
    cast(null as boolean) as is_repeat_any_30d,
    cast(null as date) as business_day
where false
