-- In which branch and team each operator of the CRM worked when; an operator without assignment is in the default one.
with
assignments as (
    select * from {{ ref('stg_crm__operator_branches') }}
),

operators as (
    select * from {{ ref('stg_crm__operators') }}
),

versions as (
    select
        operator_id,
        branch_id,
        team,
        valid_from,
        valid_to
    from assignments
    union all
    select
        operators.operator_id,
        cast(null as {{ dbt.type_string() }}) as branch_id,
        cast(null as {{ dbt.type_string() }}) as team,
        coalesce(operators.hired_on, cast('1900-01-01' as date)) as valid_from,
        operators.left_on as valid_to
    from operators
    left join assignments on operators.operator_id = assignments.operator_id
    where assignments.operator_id is null
)

select
    operator_id,
    coalesce(branch_id, {{ default_branch() }}) as branch_id,
    team,
    valid_from,
    valid_to,
    {{ holds_columns('operator_id', 'valid_from') }}
from versions
