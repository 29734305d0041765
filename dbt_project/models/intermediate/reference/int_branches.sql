-- Descriptions of all branches that anything names, by period. The configuration completes and overrides the CRM.
with
crm as (
    select * from {{ ref('stg_crm__branches') }}
),

settings as (
    select * from {{ ref('stg_ops__setting_branches') }}
),

named as (
    select branch_id from settings
    union
    select cast({{ default_branch() }} as {{ dbt.type_string() }}) as branch_id
    union
    select branch_id from {{ ref('stg_ops__setting_queues') }}
    union
    select branch_id from {{ ref('stg_crm__operator_branches') }}
    union
    select branch_id from {{ ref('stg_crm__subscribers') }}
),

versions as (
    select
        branch_id,
        branch_name,
        region,
        time_zone,
        valid_from,
        valid_to
    from crm
    union all
    select
        named.branch_id,
        cast(null as {{ dbt.type_string() }}) as branch_name,
        cast(null as {{ dbt.type_string() }}) as region,
        cast(null as {{ dbt.type_string() }}) as time_zone,
        cast('1900-01-01' as date) as valid_from,
        cast(null as date) as valid_to
    from named
    left join crm on named.branch_id = crm.branch_id
    where named.branch_id is not null and crm.branch_id is null
)

select
    versions.branch_id,
    coalesce(settings.branch_name, versions.branch_name, versions.branch_id) as branch_name,
    coalesce(settings.region, versions.region) as region,
    coalesce(settings.time_zone, versions.time_zone, {{ default_zone() }}) as time_zone,
    versions.valid_from,
    versions.valid_to,
    {{ holds_columns('versions.branch_id', 'versions.valid_from') }}
from versions
left join settings on versions.branch_id = settings.branch_id
