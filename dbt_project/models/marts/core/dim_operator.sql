{{ config(materialized='table') }}
with
assignments as (
    select * from {{ ref('int_operator_branches') }}
),

operators as (
    select * from {{ ref('stg_crm__operators') }}
),

seen as (
    {{ distinct_values(ref('int_seen_operators'), 'operator_id') }}
),

-- Seen in a fact, known to no list of people.
unregistered as (
    select seen.operator_id
    from seen
    left join assignments on seen.operator_id = assignments.operator_id
    where assignments.operator_id is null
),

described as (
    select
        assignments.operator_id,
        coalesce(operators.operator_name, assignments.operator_id) as operator_name,
        assignments.branch_id,
        assignments.team,
        operators.hired_on,
        operators.left_on,
        operators.operator_id is not null as is_registered,
        assignments.valid_from,
        assignments.valid_to
    from assignments
    left join operators on assignments.operator_id = operators.operator_id
    union all
    select
        operator_id,
        operator_id as operator_name,
        {{ default_branch() }} as branch_id,
        null as team,
        null as hired_on,
        null as left_on,
        false as is_registered,
        cast('1900-01-01' as date) as valid_from,
        null as valid_to
    from unregistered
)

select
    operator_id || '|' || valid_from as operator_key,
    operator_id,
    operator_name,
    branch_id,
    team,
    hired_on,
    left_on,
    is_registered,
    valid_from,
    valid_to,
    {{ is_current('described') }} as is_current
from described
