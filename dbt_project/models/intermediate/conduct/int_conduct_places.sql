-- Grain: operator x aspect. Where a ranking by unadjusted figures would put the person (1 is the worst), and how many
-- rated and heard him in the later period.
with
judged as (
    select
        *,
        signal in ('low_politeness', 'handle_time') as is_main,
        case when n >= least_n then x / n end as raw_figure
    from {{ ref('int_conduct_judged') }}
),

placed as (
    select
        *,
        case
            when is_main and raw_figure is not null
                then rank() over (partition by signal, period order by raw_figure desc nulls last)
        end as raw_place
    from judged
)

select
    operator_id,
    aspect,
    max(case when is_main and period = 0 then raw_place end) as raw_place_latest,
    max(case when is_main and period = 1 then raw_place end) as raw_place_before,
    max(case when signal = 'low_politeness' and period = 0 then n end) as raters,
    max(case when is_heard and period = 0 then listeners end) as listeners
from placed
group by operator_id, aspect
