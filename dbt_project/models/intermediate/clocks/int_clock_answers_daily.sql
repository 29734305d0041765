{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unlogged=false,
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Calls offered to people (a queue took them or turned them away), and how long they waited for a human being.
select
    branch_id,
    coalesce(technology, 'unknown') as technology,
    count(*) as calls_offered,
    {{ count_if("outcome = 'answered'") }} as calls_answered,
    {{ sum_of('wait_seconds', "outcome = 'answered'") }} as wait_seconds_sum,
    {{ count_if("outcome = 'answered' and wait_seconds is not null") }} as wait_seconds_count,
    {{ count_if("outcome = 'answered' and wait_seconds <= 20") }} as answered_within_20s,
    business_day
from {{ ref('fct_contacts') }}
where
    contact_kind = 'call'
    and (queue_visits > 0 or outcome = 'turned_away')
    and {{ in_touched_days('business_day') }}
group by branch_id, technology, business_day
