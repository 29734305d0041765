-- Grain: branch (or all) x technology (or all) x clock x month: valid faults and complaints beside the lines that can
-- have them. Reports can come from lines nobody knows: they are counted, and have no frequency.
with
frequencies as (
    select
        'fault_report_rate' as clock,
        'fault_repair_all' as source
    union all
    select
        'complaint_frequency' as clock,
        'complaint_resolution' as source
),

lines as (
    select * from {{ ref('int_lines_monthly') }}
),

reports as (
    select
        reports.*,
        reports.business_day as month_start
    from {{ ref('int_clock_months') }} as reports
    inner join frequencies on reports.clock = frequencies.source
),

cells as (
    select
        branch_id,
        technology,
        month_start
    from lines
    union
    select
        branch_id,
        technology,
        month_start
    from reports
)

select
    frequencies.clock,
    cells.branch_id,
    cells.technology,
    cells.month_start,
    {{ clock_columns(
        population='coalesce(reports.population, 0)',
        excluded='coalesce(reports.excluded, 0)',
        not_judged='coalesce(reports.not_judged, 0)',
        numerator='coalesce(reports.population - reports.not_judged, 0)',
        denominator='coalesce(lines.lines, 0)',
    ) }}
from cells
cross join frequencies
left join lines
    on
        cells.branch_id = lines.branch_id
        and cells.technology = lines.technology
        and cells.month_start = lines.month_start
left join reports
    on
        frequencies.source = reports.clock
        and cells.branch_id = reports.branch_id
        and cells.technology = reports.technology
        and cells.month_start = reports.month_start
