{{ config(materialized='table') }}
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

{{ judged_ctes('counted', ['grain', 'measure'], 'grain_id') }},

together as (
    select
        *,
        {% for measure in ['asked', 'ended_by_operator', 'asked_when_ended'] -%}
        max(case when measure = '{{ measure }}' then verdict end) over same_unit as verdict_{{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from judged
    window same_unit as (partition by grain, grain_id)
)

select
    {{ as_of_day() }} as as_of_day,
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
    verdict,
    case
        when verdict_asked <> 'worse' then verdict_asked
        when verdict_ended_by_operator = 'worse' then 'lets_the_subscriber_hang_up'
        when verdict_asked_when_ended = 'worse' then 'menu_does_not_ask'
        else 'asked_less_otherwise'
    end as reading,
    coalesce(verdict_asked = 'worse' and verdict_ended_by_operator = 'worse', false) as is_flagged
from together
