-- Grain: experience x band x window: who left among those with the experience, and the ratio to quiet subscribers of
-- the same branch, technology, tenure and period.
with
cohorts as (
    select * from {{ ref('int_retention_cohorts') }}
),

strata as (
    select
        experience,
        band,
        window_days,
        period_no,
        branch_id,
        technology,
        tenure_band,
        count(*) as subscribers,
        count(*) filter (where has_left) as has_left
    from cohorts
    group by 1, 2, 3, 4, 5, 6, 7
),

cells as (
    select
        experience,
        band,
        window_days,
        sum(subscribers) as subscribers,
        sum(has_left) as has_left
    from strata
    group by 1, 2, 3
),

paired as (
    select
        strata.experience,
        strata.band,
        strata.window_days,
        cast(strata.subscribers as numeric(28, 10)) as n1,
        cast(strata.has_left as numeric(28, 10)) as x1,
        cast(quiet.subscribers as numeric(28, 10)) as n0,
        cast(quiet.has_left as numeric(28, 10)) as x0
    from strata
    inner join {{ ref('int_retention_quiet') }} as quiet
        on
            strata.window_days = quiet.window_days
            and strata.period_no = quiet.period_no
            and strata.branch_id = quiet.branch_id
            and strata.technology = quiet.technology
            and strata.tenure_band = quiet.tenure_band
),

compared as (
    {{ risk_ratio('paired', ['experience', 'band', 'window_days']) }}
)

select
    cells.*,
    compared.matched,
    compared.matched_events,
    compared.others,
    compared.other_events,
    compared.other_share,
    compared.log_ratio,
    compared.log_ratio_deviation
from cells
left join compared
    on
        cells.experience = compared.experience
        and cells.band = compared.band
        and cells.window_days = compared.window_days
