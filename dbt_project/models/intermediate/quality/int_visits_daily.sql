{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
with
visits as (
    select * from {{ ref('fct_queue_visits') }} where {{ in_touched_days('business_day') }}
),

contacts as (
    select
        contact_id,
        topic_id
    from {{ ref('fct_contacts') }}
    where {{ near_touched_days('business_day', 2, 1) }}
),

-- An operator has the visits he answered; branches and topics have them all.
judged as (
    select
        visits.*,
        contacts.topic_id,
        visits.outcome = 'answered' as is_answered,
        visits.outcome = 'abandoned' as is_abandoned,
        visits.outcome in ('timed_out', 'left_by_key', 'left_empty', 'withdrawn') as is_flowout,
        visits.wait_seconds <= visits.service_level_seconds as is_in_threshold,
        visits.wait_seconds <= 20 as is_within_20s
    from visits
    left join contacts on visits.contact_id = contacts.contact_id
)

{{ by_grain('judged', visit_measures()) }}
