{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'of': 'touched_days'}}
) }}
-- Every day that is due x branches that exist on it, and every branch and day with something to count.
with
coverage as (
    select * from {{ ref('int_domain_coverage') }} where {{ in_touched_days('business_day') }}
),

branches as (
    select * from {{ ref('dim_branch') }}
),

wanted as (
    select
        branch_id,
        business_day
    from coverage
    where is_due and branch_id <> '*'
    union
    select
        grain_id,
        business_day
    from {{ ref('int_measured_days') }}
    where grain = 'branch' and {{ in_touched_days('business_day') }}
),

placed as (
    select
        wanted.branch_id,
        wanted.business_day,
        branches.region,
        {{ place_on_day('wanted.branch_id', 'branches', 'branch_key') }} as place
    from wanted
    left join branches on wanted.branch_id = branches.branch_id
)

select
    placed.branch_id,
    placed.region,
    {{ coverage_of('coverage', 'provider') }},
    placed.business_day
from placed
left join coverage
    on placed.branch_id = coverage.branch_id and placed.business_day = coverage.business_day
left join coverage as provider
    on provider.branch_id = '*' and placed.business_day = provider.business_day
where placed.place = 1
