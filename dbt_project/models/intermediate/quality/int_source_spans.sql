-- For each source the spans of time that its promoted windows hold: windows that touch or overlap are one span.
with
-- 'due' stands for the windows that make a day one of the marts'. A long window of the CRM does not: it brings
-- the records of years, from before anything else was loaded.
windows as (
    select
        source,
        window_start,
        window_end,
        load_id
    from {{ ref('stg_ops__coverage') }}
    union all
    select
        'due' as source,
        window_start,
        window_end,
        load_id
    from {{ ref('stg_ops__coverage') }}
    where source <> 'crm' or {{ seconds_between('window_start', 'window_end') }} <= 31 * 86400
),

ordered as (
    select
        *,
        max(window_end) over (
            partition by source
            order by window_start, window_end, load_id
            rows between unbounded preceding and 1 preceding
        ) as reached
    from windows
),

numbered as (
    select
        *,
        sum(case when window_start <= reached then 0 else 1 end) over (
            partition by source
            order by window_start, window_end, load_id
            rows between unbounded preceding and current row
        ) as span
    from ordered
)

select
    source,
    min(window_start) as span_start,
    max(window_end) as span_end
from numbered
group by source, span
