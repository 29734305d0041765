{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
placed as (
    select
        subjects.*,
        coalesce(nullif(subjects.operator_id, ''), contacts.last_operator_id, subjects.ticket_operator_id)
            as known_operator_id,
        coalesce(
            contacts.branch_id, subjects.ticket_branch_id, subjects.connection_branch_id, subscribers.branch_id,
            operator_branches.branch_id, {{ default_branch() }}
        ) as branch_id,
        coalesce(subjects.ticket_topic_id, contacts.topic_id) as topic_id,
        {{ local_date('subjects.answered_at', default_zone()) }} as day
    from {{ ref('int_survey_subjects') }} as subjects
    left join {{ ref('fct_contacts') }} as contacts on subjects.contact_id = contacts.contact_id
    left join {{ ref('int_subscriber_versions') }} as subscribers
        on
            subjects.known_subscriber_id = subscribers.subscriber_id
            and {{ holds_on('subscribers', 'subjects.answered_at') }}
    left join {{ ref('int_operator_branches') }} as operator_branches
        on
            subjects.operator_id = operator_branches.operator_id
            and {{ holds_on('operator_branches', local_date('subjects.answered_at', default_zone())) }}
),

dated as (
    select
        placed.*,
        {{ local_date('placed.answered_at', zone_of('branches')) }} as business_day,
        {{ answer_between('satisfaction', 1, 5) }} as satisfaction_points,
        {{ answer_between('recommend', 0, 10) }} as recommend_points,
        {{ answer_between('effort', 1, 7) }} as effort_points,
        {{ attempt_outcome('placed.attempt_outcome', 'placed.is_complete') }} as outcome
    from placed
    left join {{ ref('int_branches') }} as branches
        on placed.branch_id = branches.branch_id and {{ holds_on('branches', 'placed.day') }}
)

select
    dated.survey_id || '|' || dated.response_id as survey_response_id,
    dated.survey_id,
    dated.survey_kind,
    dated.is_complete and {{ is_interview('dated.outcome') }} as is_complete,
    dated.submitted_at,
    dated.started_at,
    dated.known_subscriber_id as subscriber_id,
    dated.ticket_id,
    dated.connection_id,
    dated.contact_id,
    dated.known_operator_id as operator_id,
    dated.branch_id,
    dated.topic_id,
    topics.topic_class,
    {{ yes_or_no('dated.is_solved') }} as is_solved,
    {{ yes_or_no('dated.is_first_contact') }} as is_first_contact_solved,
    dated.satisfaction_points as satisfaction,
    dated.recommend_points as recommend,
    dated.effort_points as effort,
    case
        when dated.recommend_points >= 9 then 'promoter'
        when dated.recommend_points >= 7 then 'passive'
        when dated.recommend_points >= 0 then 'detractor'
    end as nps_group,
    dated.comment,
    dated.outcome as attempt_outcome,
    coalesce(dated.started_at, dated.answered_at) as attempted_at,
    dated.business_day
from dated
left join {{ ref('int_topics') }} as topics
    on dated.topic_id = topics.topic_id and {{ holds_on('topics', 'dated.business_day') }}
where {{ in_touched_days('dated.business_day') }}
