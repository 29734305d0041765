{{ config(materialized='incremental', incremental_strategy='replace_days') }}
{%- set counts = ['contacts_after', 'expected_after', 'contacts_before', 'expected_before'] -%}
{%- set limits = counts[:2] + ['spread_after'] + counts[2:] + ['spread_before'] %}
with
measures as (
    select * from {{ ref('int_measures') }} where {{ in_reach(14, 183) }}
),

answered as (
    select * from {{ ref('int_measure_surges') }} where {{ in_reach(14, 183) }}
),

effects as (
    select
        *,
        days_after = 7 and expected_after > 0 and expected_before > 0 as is_compared
    from {{ ref('int_measure_effects') }}
    where {{ in_reach(14, 183) }}
),

topics as (
    select * from {{ ref('int_topics') }}
),

compared as (
    select
        *,
        case when is_compared then {{ rate_ratio(*counts) }} end as effect_ratio,
        case when is_compared then {{ rate_ratio_limit(*limits, sign='-') }} end as effect_low,
        case when is_compared then {{ rate_ratio_limit(*limits, sign='+') }} end as effect_high
    from effects
)

select
    measures.measure_id,
    measures.branch_id,
    measures.topic_id,
    topics.topic_class,
    measures.what,
    measures.owner,
    measures.started_at,
    measures.ended_at,
    measures.noted_surge_id,
    answered.surge_id,
    answered.surge_start,
    answered.surge_found_at,
    {{ rounded(seconds_between('answered.surge_found_at', 'measures.started_at') ~ ' / 3600', 2) }}
        as time_to_act_hours,
    {% for side in ['before', 'after'] -%}
        coalesce(compared.days_{{ side }}, 0) as days_{{ side }},
        cast(compared.contacts_{{ side }} as bigint) as contacts_{{ side }},
        {{ rounded('compared.expected_' ~ side) }} as expected_{{ side }},
        {{ rounded('compared.contacts_' ~ side ~ ' / nullif(compared.expected_' ~ side ~ ', 0)') }} as ratio_{{ side }},
    {% endfor -%}
    compared.effect_ratio,
    compared.effect_low,
    compared.effect_high,
    case
        when compared.days_before > 0 is not true then 'not_comparable'
        when not compared.is_compared then 'not_enough_days'
        when compared.effect_high < 1 then 'fewer_after'
        when compared.effect_low > 1 then 'more_after'
        else 'no_clear_change'
    end as effect,
    measures.business_day
from measures
left join answered on measures.measure_id = answered.measure_id
left join compared on measures.measure_id = compared.measure_id
left join topics
    on measures.topic_id = topics.topic_id and {{ holds_on('topics', 'measures.business_day') }}
