-- Grain: one operator or branch and measure of int_offer_cells, judged against all others: as such calls usually go.
with
cells as (
    select * from {{ ref('int_offer_cells') }}
),

standard as (
    {{ expected_by_case_mix('cells', ['grain', 'measure'], 'grain_id', ['topic_class', 'topic_id', 'queue']) }}
),

counted as (
    select
        *,
        'rate' as kind,
        'low' as worse_is,
        30 as least_n
    from standard
),

{{ judged_ctes('counted', ['grain', 'measure'], 'grain_id') }}

select
    grain,
    grain_id,
    measure,
    cast(n as bigint) as calls,
    cast(x as bigint) as calls_counted,
    rate as share,
    wilson_low as share_low,
    wilson_high as share_high,
    pooled_rate as pooled_share,
    {{ rounded('expected') }} as calls_expected,
    {{ rounded('share_at_full_detail') }} as share_at_full_detail,
    adjusted_rate as adjusted_share,
    eb_adjusted_rate as adjusted_share_eb,
    eb_low as adjusted_share_eb_low,
    eb_high as adjusted_share_eb_high,
    {{ rounded('reliability') }} as reliability,
    {{ rounded('z') }} as z,
    {{ rounded('dispersion') }} as dispersion,
    {{ rounded('p_value') }} as p_value,
    {{ rounded('q_value') }} as q_value,
    funnel_position,
    verdict
from judged
