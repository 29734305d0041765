{{ config(materialized='table') }}
with
{{ scorecard_ctes('operator') }},

-- Branch and team of the last assignment that has begun.
operators as (
    select
        operator_id,
        branch_id,
        team,
        row_number() over (
            partition by operator_id order by valid_from desc nulls last, operator_key
        ) as place
    from {{ ref('dim_operator') }}
    where valid_from is null or valid_from <= {{ as_of_day() }}
)

select
    scorecard.unit_id as operator_id,
    operators.branch_id,
    operators.team,
    {{ scorecard_columns() }}
from scorecard
left join operators on scorecard.unit_id = operators.operator_id and operators.place = 1
