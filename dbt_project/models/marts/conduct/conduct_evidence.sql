{{ config(materialized='table') }}
with
listed as (
    select * from {{ ref('int_conduct_decisions') }}
    where state = 'review'
),

-- What happened as a rule, to tell which calls were long.
slow_items as (
    select
        *,
        avg(x) over (partition by signal, dim_1) as usual_x
    from {{ ref('int_slowness_items') }}
),

items as (
    select 'rudeness' as aspect, operator_id, item_id, contact_id, listener_id, value, business_day,
        case
            when signal = 'politeness_mean' and x <= 2 then 'low_rating'
            when signal = 'rude_tone' and x > 0 then 'rude_call'
            when signal = 'courtesy_error' and x > 0 then 'courtesy_error'
            when signal = 'conduct_complaint' and x > 0 then 'complaint'
            when signal = 'conduct_complaint' then 'ordinary_call'
        end as what,
        case when signal = 'politeness_mean' then -x else 0 end as weight
    from {{ ref('int_rudeness_items') }}
    union all
    select 'slowness', operator_id, item_id, contact_id, listener_id, value, business_day,
        case
            when signal = 'handle_time' and x >= usual_x + 0.6931 then 'long_call'
            when signal = 'handle_time' then 'ordinary_call'
            when signal = 'ring_no_answer' and x > 0 then 'missed_ring'
            when signal = 'late_reply' and x > 0 then 'late_reply'
            when signal = 'idle_while_waiting' and value >= 60 then 'free_while_waiting'
        end,
        case
            when signal = 'handle_time' then x - usual_x
            when signal = 'ring_no_answer' then 0
            else coalesce(value, 0)
        end
    from slow_items
),

-- Ordinary calls are drawn by a hash of their id: the same for everybody who looks.
ranked as (
    select
        items.*,
        row_number() over (
            partition by items.operator_id, items.aspect, items.what
            order by
                case when items.what = 'ordinary_call' then md5(items.item_id) end nulls last,
                items.weight desc, items.business_day desc, items.item_id
        ) as item_rank
    from items
    inner join listed on items.operator_id = listed.operator_id and items.aspect = listed.aspect
    where items.what is not null
)

select
    operator_id,
    aspect,
    what,
    item_id,
    contact_id,
    business_day as happened_on,
    cast(value as {{ dbt.type_float() }}) as value,
    case
        when what = 'low_rating' then 'politeness rating'
        when what in ('rude_call', 'courtesy_error') then 'score of the call, 0 to 100'
        when what in ('long_call', 'missed_ring', 'free_while_waiting') or (what = 'ordinary_call' and value is not null)
            then 'seconds'
        when what = 'late_reply' then 'business minutes'
    end as unit,
    listener_id,
    cast(item_rank as bigint) as item_rank,
    {{ as_of_day() }} as as_of_day
from ranked
where item_rank <= case when what = 'ordinary_call' then 10 else 20 end
