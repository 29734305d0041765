{{ config(materialized='table') }}
with
listed as (
    select * from {{ ref('int_conduct_decisions') }}
    where state = 'review'
),

-- What is usual for a topic, to tell which calls were long: at least twice that.
usual as (
    select
        signal,
        dim_1,
        avg(x) as x
    from {{ ref('int_slowness_items') }}
    where signal = 'handle_time'
    group by signal, dim_1
),

items as (
    select
        *,
        'rudeness' as aspect,
        case
            when signal = 'politeness_mean' and x <= 2 then 'low_rating'
            when signal = 'rude_tone' and x > 0 then 'rude_call'
            when signal = 'courtesy_error' and x > 0 then 'courtesy_error'
            when signal = 'conduct_complaint' and x > 0 then 'complaint'
            when signal = 'conduct_complaint' then 'ordinary_call'
        end as what,
        case when signal = 'politeness_mean' then -x else 0 end as gravity
    from {{ ref('int_rudeness_items') }}
    union all
    select
        items.*,
        'slowness' as aspect,
        case
            when items.signal = 'handle_time' and items.x >= usual.x + 0.6931 then 'long_call'
            when items.signal = 'handle_time' then 'ordinary_call'
            when items.signal = 'ring_no_answer' and items.x > 0 then 'missed_ring'
            when items.signal = 'late_reply' and items.x > 0 then 'late_reply'
            when items.signal = 'idle_while_waiting' and items.value >= 60 then 'free_while_waiting'
        end as what,
        case
            when items.signal = 'handle_time' then items.x - usual.x
            when items.signal = 'ring_no_answer' then 0
            else coalesce(items.value, 0)
        end as gravity
    from {{ ref('int_slowness_items') }} as items
    left join usual on items.signal = usual.signal and items.dim_1 = usual.dim_1
),

-- Ordinary calls are drawn by a hash of their id: the same for everybody who looks.
ranked as (
    select
        items.*,
        row_number() over (
            partition by items.operator_id, items.aspect, items.what
            order by
                case when items.what = 'ordinary_call' then md5(items.item_id) end nulls last,
                items.gravity desc, items.business_day desc, items.item_id
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
        when what = 'late_reply' then 'business minutes'
        when value is not null then 'seconds'
    end as unit,
    listener_id,
    cast(item_rank as bigint) as item_rank,
    {{ as_of_day() }} as as_of_day
from ranked
where item_rank <= case when what = 'ordinary_call' then 10 else 20 end
