{{ config(materialized='view') }}
-- Months of the branches' spine, of each branch and of all: days of the month that are loaded, by domain.
with
months as (
    select
        branch_id,
        cast({{ dbt.date_trunc('month', 'business_day') }} as date) as month_start,
        {{ count_if("visits_coverage = 'loaded'") }} as visits_days,
        {{ count_if("tickets_coverage = 'loaded'") }} as tickets_days,
        {{ count_if("connections_coverage = 'loaded'") }} as connections_days
    from {{ ref('int_branch_spine') }}
    group by branch_id, cast({{ dbt.date_trunc('month', 'business_day') }} as date)
)

select
    branch_id,
    month_start,
    visits_days,
    tickets_days,
    connections_days
from months
union all
select
    'all' as branch_id,
    month_start,
    min(visits_days) as visits_days,
    min(tickets_days) as tickets_days,
    min(connections_days) as connections_days
from months
group by month_start
