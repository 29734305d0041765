-- Grain: period x signal x operator: what was observed against what such contacts usually bring, each signal judged
-- against all operators of its period.
with
signals as (
    {{ conduct_signal_rows() }}
),

items as (
    select * from {{ ref('int_rudeness_items') }}
    union all
    select * from {{ ref('int_slowness_items') }}
),

cells as (
    select
        {{ conduct_period('business_day') }} as period,
        signal,
        operator_id,
        dim_1,
        dim_2,
        dim_3,
        dim_4,
        sum(n) as n,
        sum(x) as x,
        sum(x2) as x2
    from items
    group by {{ conduct_period('business_day') }}, signal, operator_id, dim_1, dim_2, dim_3, dim_4
),

expected as (
    {{ expected_by_case_mix('cells', ['period', 'signal'], 'operator_id', ['dim_1', 'dim_2', 'dim_3', 'dim_4']) }}
),

listeners as (
    select
        {{ conduct_period('business_day') }} as period,
        signal,
        operator_id,
        count(distinct listener_id) as listeners,
        count(distinct case when x > 0 then listener_id end) as listeners_who_noticed
    from items
    where listener_id is not null
    group by {{ conduct_period('business_day') }}, signal, operator_id
),

counted as (
    select
        expected.*,
        signals.aspect,
        signals.kind,
        signals.worse_is,
        signals.least_n,
        signals.is_heard,
        listeners.listeners,
        listeners.listeners_who_noticed
    from expected
    inner join signals on expected.signal = signals.signal
    left join listeners
        on
            expected.period = listeners.period
            and expected.signal = listeners.signal
            and expected.operator_id = listeners.operator_id
),

{{ judged_ctes('counted', ['period', 'signal'], 'operator_id') }}

select
    period,
    aspect,
    signal,
    operator_id,
    kind,
    worse_is,
    least_n,
    is_heard,
    n,
    x,
    expected,
    variance,
    share_at_full_detail,
    listeners,
    listeners_who_noticed,
    pooled_rate,
    wilson_low,
    wilson_high,
    reliability,
    dispersion,
    worse_by
from judged
