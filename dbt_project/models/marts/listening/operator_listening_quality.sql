{{ config(materialized='table', meta={'restates': false}, pre_hook="{{ hashed_joins() }}") }}
with
heard as (
    select * from {{ ref('int_listening_heard') }}
    where {{ in_last_days('business_day', 90) }}
),

pool as (
    select * from {{ ref('int_listening_pool') }}
    where {{ in_last_days('business_day', 90) }}
),

{{ weighted_ctes('heard', 'pool') }},

{{ estimated_ctes({'operator': 'operator_id', 'branch': 'branch_id', 'topic': 'topic_id'}, []) }},

judged as (
    select * from {{ ref('int_operator_listening') }}
)

select
    estimated.level,
    estimated.unit_id,
    estimated.measure,
    cast(90 as bigint) as window_days,
    {{ estimate_columns() }},
    judged.pooled_rate as pooled_estimate,
    judged.expected_rate as expected_estimate,
    judged.adjusted_rate as adjusted_estimate,
    judged.eb_adjusted_rate as eb_estimate,
    judged.eb_low,
    judged.eb_high,
    judged.reliability,
    judged.z,
    judged.p_value,
    judged.q_value,
    judged.funnel_position,
    judged.verdict,
    judged.place,
    {{ as_of_day() }} as as_of_day
from estimated
left join judged
    on
        estimated.level = 'operator'
        and estimated.unit_id = judged.operator_id
        and estimated.measure = judged.measure
