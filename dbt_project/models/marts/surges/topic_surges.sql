{{ config(
    materialized='incremental', incremental_strategy='replace_days', pre_hook="{{ hashed_joins() }}"
) }}
with
findings as (
    select * from {{ ref('int_surge_findings') }} where {{ in_reach(0, 127) }}
),

farrington as (
    select * from {{ ref('int_farrington_days') }} where {{ in_reach(0, 127) }}
),

topics as (
    select * from {{ ref('int_topics') }}
)

select
    findings.branch_id,
    findings.topic_id,
    topics.topic_class,
    findings.contacts,
    findings.history_days,
    findings.expected,
    findings.dispersion,
    findings.expected_upper,
    findings.p_value,
    findings.q_value,
    findings.cusum,
    farrington.farrington_p,
    farrington.farrington_limit,
    farrington.is_farrington_surge,
    findings.is_holiday,
    findings.excess,
    findings.outage_contacts,
    findings.known_outage_contacts,
    findings.outage_id,
    findings.verdict,
    findings.detected_by,
    findings.leading_branch_id,
    findings.is_new,
    findings.surge_id,
    findings.surge_start,
    findings.surge_days,
    findings.business_day
from findings
left join topics
    on findings.topic_id = topics.topic_id and {{ holds_on('topics', 'findings.business_day') }}
left join farrington
    on
        findings.branch_id = farrington.branch_id
        and findings.topic_id = farrington.topic_id
        and findings.business_day = farrington.business_day
