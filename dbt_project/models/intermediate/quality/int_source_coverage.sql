{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- For each branch's local day and each source: do the promoted windows hold the whole day?
with
spans as (
    select * from {{ ref('int_source_spans') }}
),

-- '*' is the provider as a whole, for what belongs to no known branch.
branches as (
    select
        branch_id,
        time_zone,
        valid_from,
        valid_to
    from {{ ref('dim_branch') }}
    union all
    select
        '*' as branch_id,
        {{ text_literal(var('default_time_zone')) }} as time_zone,
        null as valid_from,
        null as valid_to
),

branch_days as (
    select
        branches.branch_id,
        days.date_day as business_day,
        {{ local_instant('days.date_day', 'branches.time_zone') }} as day_start,
        {{ local_instant(add_days('days.date_day', 1), 'branches.time_zone') }} as day_end
    from {{ ref('dim_date') }} as days
    inner join branches
        on
            (branches.valid_from is null or days.date_day >= branches.valid_from)
            and (branches.valid_to is null or days.date_day < branches.valid_to)
    where {{ in_touched_days('days.date_day') }}
)

select
    branch_days.branch_id,
    spans.source,
    case
        when bool_or(spans.span_start <= branch_days.day_start and spans.span_end >= branch_days.day_end) then 'loaded'
        else 'partial'
    end as coverage,
    branch_days.business_day
from branch_days
inner join spans
    on branch_days.day_end > spans.span_start and branch_days.day_start < spans.span_end
group by branch_days.branch_id, spans.source, branch_days.business_day
