{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'of': 'touched_days'}}
) }}
-- Every day that is due x operators employed in a branch on it, and every operator and day with something to count.
with
coverage as (
    select * from {{ ref('int_domain_coverage') }} where {{ in_touched_days('business_day') }}
),

operators as (
    select * from {{ ref('dim_operator') }}
),

wanted as (
    select
        operators.operator_id,
        coverage.business_day
    from operators
    inner join coverage on operators.branch_id = coverage.branch_id
    where
        coverage.is_due
        and operators.is_registered
        and {{ is_valid_on('operators', 'coverage.business_day') }}
        and (operators.hired_on is null or coverage.business_day >= operators.hired_on)
        and (operators.left_on is null or coverage.business_day < operators.left_on)
    union
    select
        grain_id,
        business_day
    from {{ ref('int_measured_days') }}
    where grain = 'operator' and {{ in_touched_days('business_day') }}
),

-- Branch and team as of the day.
placed as (
    select
        wanted.operator_id,
        wanted.business_day,
        coalesce(operators.branch_id, {{ text_literal(var('default_branch_id')) }}) as branch_id,
        operators.team,
        {{ place_on_day('wanted.operator_id', 'operators', 'operator_key') }} as place
    from wanted
    left join operators on wanted.operator_id = operators.operator_id
)

select
    placed.operator_id,
    placed.branch_id,
    placed.team,
    {{ coverage_of('coverage', 'provider') }},
    placed.business_day
from placed
left join coverage
    on placed.branch_id = coverage.branch_id and placed.business_day = coverage.business_day
left join coverage as provider
    on provider.branch_id = '*' and placed.business_day = provider.business_day
where placed.place = 1
