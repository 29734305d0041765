{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 0, 'after': 120}},
        indexes=[{'columns': ['business_day']}, {'columns': ['contact_id']}]
    )
}}
-- Grain: one call that could be listened to, with the probability that the plan of its day drew it, and whether it did.
-- An operator is due for a floor call on one of every so many of his days at work since the month began. A day reads
-- its month so far, and the evaluations of the 90 days before the month: nothing that comes after it.
{% set floor_days = var('listening_floor_days') %}
{% set seed = text_literal(var('listening_seed')) %}
with
pool as (
    select * from {{ ref('int_listening_pool') }}
    where {{ near_touched_days('business_day', 30, 120) }}
),

spread as (
    select * from {{ ref('int_listening_spread') }}
),

worked_days as (
    select
        operator_id,
        business_day,
        month_start,
        row_number() over (partition by operator_id, month_start order by business_day) - 1 as days_before
    from pool
    group by operator_id, business_day, month_start
),

due_days as (
    select
        operator_id,
        business_day,
        floor(days_before / cast({{ floor_days }} as numeric(9, 3))) < {{ var('listening_floor') }}
        and mod(days_before, {{ floor_days }}) = floor({{ floor_days }} * {{ hash_uniform(
            seed ~ " || '|slot|' || operator_id || '|' || month_start || '|' || "
            ~ whole_number_text('days_before / cast(' ~ floor_days ~ ' as numeric(9, 3))')
        ) }}) as is_due
    from worked_days
),

built as (
    select * from pool
    where {{ in_reach(0, 120) }}
),

calls as (
    select
        built.*,
        built.operator_id || '|' || built.topic_class || '|' || built.length_band as stratum,
        coalesce(own.sd, kinds.sd, whole.sd, {{ var('listening_default_sd') }}) as sd,
        coalesce(whole.sd, {{ var('listening_default_sd') }}) as sd_all,
        due_days.is_due
    from built
    inner join due_days on built.operator_id = due_days.operator_id and built.business_day = due_days.business_day
    left join spread as own
        on
            built.month_start = own.business_day and built.operator_id = own.operator_id
            and built.topic_class = own.topic_class and built.length_band = own.length_band
    left join spread as kinds
        on
            built.month_start = kinds.business_day and kinds.operator_id = '*'
            and built.topic_class = kinds.topic_class and built.length_band = kinds.length_band
    left join spread as whole
        on
            built.month_start = whole.business_day and whole.operator_id = '*'
            and whole.topic_class = '*' and whole.length_band = '*'
),

{{ drawn_ctes('calls', 'business_day', seed, var('listening_calls_per_day')) }}

select
    contact_id,
    branch_id,
    operator_id,
    topic_id,
    topic_class,
    length_band,
    talk_seconds,
    started_at,
    month_start,
    stratum,
    cast(sd as bigint) as stratum_sd,
    cast(sd_all as bigint) as score_sd,
    cast(stratum_calls as bigint) as stratum_calls,
    {{ rounded('stratum_expected') }} as stratum_expected,
    stratum_drawn,
    is_due,
    {{ rounded('floor_pi') }} as floor_pi,
    {{ rounded('rest_pi') }} as rest_pi,
    {{ rounded('pi') }} as pi,
    is_floor,
    is_rest,
    is_drawn,
    md5({{ seed }} || '|rest|' || contact_id) as draw_hash,
    business_day
from drawn
