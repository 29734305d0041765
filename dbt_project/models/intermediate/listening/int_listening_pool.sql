{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: one answered call with enough talk to be listened to. The operator is the one who took the call first.
select
    contact_id,
    branch_id,
    first_operator_id as operator_id,
    topic_id,
    coalesce(topic_class, 'unknown') as topic_class,
    case
        when talk_seconds < {{ var('listening_long_talk_seconds')[0] }} then 'short'
        when talk_seconds < {{ var('listening_long_talk_seconds')[1] }} then 'medium'
        else 'long'
    end as length_band,
    talk_seconds,
    started_at,
    ended_at,
    cast({{ dbt.date_trunc('month', 'business_day') }} as date) as month_start,
    business_day
from {{ ref('fct_contacts') }}
where
    contact_kind = 'call' and is_handled and first_operator_id is not null
    and talk_seconds >= {{ var('listening_least_talk_seconds') }}
    and {{ in_touched_days('business_day') }}
