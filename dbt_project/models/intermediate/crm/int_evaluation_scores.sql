-- Points, fatal errors and items of each evaluation that can belong to a touched day: it is heard after the call.
with
evaluations as (
    select * from {{ ref('stg_crm__evaluations') }}
    where {{ since_touched('evaluated_at', 1) }}
),

items as (
    select
        items.*,
        coalesce(items.is_applicable, true)
        and items.score is not null and items.max_score > 0 and items.weight is not null as counts,
        coalesce(items.is_fatal and items.is_failed, false) as is_fatal_error
    from {{ ref('stg_crm__evaluation_items') }} as items
    inner join evaluations on items.evaluation_id = evaluations.evaluation_id
)

select
    evaluations.evaluation_id,
    100 * sum(items.weight * items.score / items.max_score) filter (where items.counts)
    / nullif(sum(items.weight) filter (where items.counts), 0) as score_raw,
    count(items.item_id) as items,
    count(items.item_id) filter (where coalesce(items.is_applicable, true)) as items_applicable,
    count(items.item_id) filter (where items.is_fatal_error) as fatal_errors,
    count(items.item_id) filter (where items.is_fatal_error and items.fatal_kind = 'customer') as fatal_customer,
    count(items.item_id) filter (where items.is_fatal_error and items.fatal_kind = 'business') as fatal_business,
    count(items.item_id) filter (where items.is_fatal_error and items.fatal_kind = 'compliance') as fatal_compliance
from evaluations
left join items on evaluations.evaluation_id = items.evaluation_id
group by evaluations.evaluation_id
