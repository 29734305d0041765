-- Grain: branch ('*': all) x week x section x item: what the review compares, near the touched days. Topics nobody
-- called about in a week have a 0 in it when they had contacts in the eight weeks before.
with
measured as (
    {% for part in ['contacts', 'rates', 'waits', 'promises', 'callbacks'] %}
        select * from {{ ref('int_review_' ~ part) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

absent as (
    select distinct
        measured.branch_id,
        measured.section,
        measured.item,
        weeks.week_start
    from measured
    inner join {{ ref('int_review_weeks') }} as weeks
        on
            measured.branch_id = weeks.branch_id
            and weeks.week_start between {{ add_days('measured.week_start', 7) }}
            and {{ add_days('measured.week_start', 7 * review_weeks()) }}
    left join measured as present
        on
            measured.branch_id = present.branch_id
            and measured.section = present.section
            and measured.item = present.item
            and weeks.week_start = present.week_start
    where measured.kind = 'count' and present.item is null
)

select * from measured
union all
select
    branch_id,
    section,
    item,
    'count' as kind,
    cast(null as {{ dbt.type_string() }}) as worse_is,
    1 as n,
    0 as x,
    0 as x2,
    week_start
from absent
