-- Valid faults around the touched days that were repaired: did the same line have another within 30 days? The clock
-- starts at the repair; a report while the fault lasts is the same fault. Null until the 30 days have passed, and where
-- nobody knows whose line it was.
with
faults as (
    select * from {{ ref('int_clock_spans') }}
    where clock = 'fault_repair_all' and not is_excluded
),

again as (
    select distinct earlier.item_id
    from faults as earlier
    inner join faults as later
        on
            earlier.subscriber_id = later.subscriber_id
            and later.started_at > earlier.finished_at
            and later.started_at <= {{ add_seconds('earlier.finished_at', 30 * 86400) }}
    where earlier.is_finished and later.is_judged
)

select
    faults.item_id,
    faults.branch_id,
    faults.technology,
    faults.month_start,
    case
        when
            faults.subscriber_id is not null
            and {{ add_seconds('faults.finished_at', 30 * 86400) }} <= {{ data_until() }}
            then again.item_id is not null
    end as is_repeated
from faults
left join again on faults.item_id = again.item_id
where faults.is_finished
