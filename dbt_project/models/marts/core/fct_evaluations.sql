{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
evaluations as (
    select * from {{ ref('stg_crm__evaluations') }}
    where {{ since_touched('evaluated_at', 1) }}
),

-- A call id that two servers share, with no server named: the latest contact before the evaluation.
called as (
    select
        evaluations.evaluation_id,
        calls.contact_id,
        row_number() over (
            partition by evaluations.evaluation_id
            order by calls.business_day desc, calls.contact_id
        ) as call_rank
    from evaluations
    inner join {{ ref('int_contact_calls') }} as calls
        on
            evaluations.call_id = calls.call_id
            and (evaluations.server_id is null or evaluations.server_id = calls.server_id)
),

placed as (
    select
        evaluations.*,
        contacts.contact_id,
        contacts.topic_id,
        contacts.topic_class,
        contacts.business_day as contact_day,
        coalesce(evaluations.operator_id, contacts.last_operator_id) as heard_operator_id,
        coalesce(contacts.branch_id, operator_branches.branch_id, {{ default_branch() }}) as branch_id,
        {{ local_date('evaluations.evaluated_at', default_zone()) }} as day
    from evaluations
    left join called on evaluations.evaluation_id = called.evaluation_id and called.call_rank = 1
    left join {{ ref('fct_contacts') }} as contacts on called.contact_id = contacts.contact_id
    left join {{ ref('int_operator_branches') }} as operator_branches
        on
            evaluations.operator_id = operator_branches.operator_id
            and {{ holds_on('operator_branches', local_date('evaluations.evaluated_at', default_zone())) }}
),

dated as (
    select
        placed.*,
        coalesce(placed.contact_day, {{ local_date('placed.evaluated_at', zone_of('branches')) }}) as business_day
    from placed
    left join {{ ref('int_branches') }} as branches
        on placed.branch_id = branches.branch_id and {{ holds_on('branches', 'placed.day') }}
)

select
    dated.evaluation_id,
    dated.contact_id,
    dated.heard_operator_id as operator_id,
    dated.evaluator_id,
    dated.branch_id,
    dated.topic_id,
    dated.topic_class,
    dated.form_id,
    dated.form_version,
    dated.evaluated_at,
    scores.score_raw,
    case when scores.fatal_errors > 0 then 0 else scores.score_raw end as score,
    scores.items,
    scores.items_applicable,
    scores.fatal_errors,
    scores.fatal_customer,
    scores.fatal_business,
    scores.fatal_compliance,
    dated.tone,
    dated.tone = 'rude' as is_rude,
    dated.is_solved,
    dated.business_day
from dated
inner join {{ ref('int_evaluation_scores') }} as scores on dated.evaluation_id = scores.evaluation_id
where {{ in_touched_days('dated.business_day') }}
