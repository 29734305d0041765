{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
visits as (
    select * from {{ ref('int_placed_visits') }}
    where {{ in_touched_days('business_day') }}
)

select
    queue_visit_id,
    contact_id,
    server_id,
    callid,
    queue,
    visit_no,
    visit_order,
    branch_id,
    topic_class,
    operator_id,
    agent,
    entered_at,
    answered_at,
    ended_at,
    outcome,
    end_event,
    wait_seconds,
    ring_seconds,
    talk_seconds,
    hung_up_by,
    transfer_kind,
    transfer_to,
    exit_key,
    outcome = 'answered' and coalesce(talk_seconds = 0, false) as is_zero_talk,
    outcome = 'abandoned' and coalesce(wait_seconds <= short_abandon_seconds, false) as is_short_abandon,
    coalesce(talk_seconds > {{ var('talk_suspect_seconds') }}, false) as is_talk_suspect,
    is_relinked,
    ring_no_answer_count,
    service_level_seconds,
    business_day
from visits
