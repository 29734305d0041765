{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- An operator has the calls that rang at his desk; branches and topics have those of their queue visits.
with
rings as (
    select * from {{ ref('fct_ring_no_answers') }} where {{ in_touched_days('business_day') }}
),

visits as (
    select
        queue_visit_id,
        contact_id,
        branch_id
    from {{ ref('fct_queue_visits') }}
    where {{ in_touched_days('business_day') }}
),

contacts as (
    select
        contact_id,
        topic_id
    from {{ ref('fct_contacts') }}
    where {{ near_touched_days('business_day', 2, 1) }}
),

attributed as (
    select
        rings.operator_id,
        coalesce(visits.branch_id, rings.branch_id) as branch_id,
        contacts.topic_id,
        rings.rang_ms,
        rings.business_day
    from rings
    left join visits on rings.queue_visit_id = visits.queue_visit_id
    left join contacts on visits.contact_id = contacts.contact_id
)

{{ by_grain('attributed', ring_measures()) }}
