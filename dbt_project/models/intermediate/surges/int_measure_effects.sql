{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 14, 'after': 183}}
) }}
-- Contacts of a measure's topic and what was to be expected: the last 7 judged days before it began (not before the
-- surge it answers; its own first day when it began with the surge) and the first 7 after, of 14 days on either side.
-- The day it began belongs to neither; holidays are left out.
with
measures as (
    select * from {{ ref('int_measures') }} where {{ in_reach(14, 183) }}
),

answered as (
    select * from {{ ref('int_measure_surges') }} where {{ in_reach(14, 183) }}
),

days as (
    select * from {{ ref('topic_surges') }}
    where expected is not null and not is_holiday and {{ near_touched_days('business_day', 28, 197) }}
),

sided as (
    select
        measures.measure_id,
        measures.business_day,
        days.contacts,
        cast(days.expected as numeric(28, 12)) as expected,
        cast(days.dispersion as numeric(28, 12)) as dispersion,
        case
            when days.business_day > measures.business_day then 'after'
            when answered.surge_start is null then 'before'
            when days.business_day >= answered.surge_start then 'before'
        end as side,
        row_number() over (
            partition by measures.measure_id, days.business_day > measures.business_day
            order by abs({{ dbt.datediff('measures.business_day', 'days.business_day', 'day') }})
        ) as place
    from measures
    left join answered on measures.measure_id = answered.measure_id
    inner join days
        on
            measures.branch_id = days.branch_id
            and measures.topic_id = days.topic_id
            and days.business_day between {{ add_days('measures.business_day', -14) }}
            and {{ add_days('measures.business_day', 14) }}
            and (measures.business_day <> days.business_day or measures.business_day = answered.surge_start)
)

select
    measure_id,
    {% for side in ['before', 'after'] -%}
        {{ count_if("side = '" ~ side ~ "'") }} as days_{{ side }},
        sum(contacts) filter (where side = '{{ side }}') as contacts_{{ side }},
        cast(sum(expected) filter (where side = '{{ side }}') as {{ dbt.type_float() }}) as expected_{{ side }},
        cast(sum(dispersion * expected * expected) filter (where side = '{{ side }}') as {{ dbt.type_float() }})
            as spread_{{ side }},
    {% endfor -%}
    business_day
from sided
where place <= 7
group by measure_id, business_day
