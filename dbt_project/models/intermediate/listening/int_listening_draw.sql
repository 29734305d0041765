{{ config(
    materialized='incremental', incremental_strategy='replace_days', meta={'reach': {'before': 0, 'after': 120}},
    indexes=[{'columns': ['business_day']}], pre_hook="{{ hashed_joins() }}"
) }}
-- Grain: one call that could be listened to, with the probability that the plan of its day drew it, and whether it did.
-- An operator is due for a floor call on one of every so many of his days at work since the month began. A day reads
-- its month so far, and the evaluations of the 90 days before the month: nothing that comes after it.
{% set seed = text_literal(var('listening_seed')) %}
with
pool as (
    select * from {{ ref('int_listening_pool') }} where {{ near_touched_days('business_day', 30, 120) }}
),

spread as (
    select * from {{ ref('int_listening_spread') }} where {{ near_touched_days('business_day', 31, 120) }}
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

calls as (
    select
        pool.*,
        pool.operator_id || '|' || pool.topic_class || '|' || pool.length_band as stratum,
        coalesce(own.sd, kinds.sd, whole.sd, {{ var('listening_default_sd') }}) as sd,
        coalesce(whole.sd, {{ var('listening_default_sd') }}) as sd_all,
        {{ is_floor_day('worked_days', seed, var('listening_floor'), var('listening_floor_days')) }} as is_due
    from pool
    inner join worked_days
        on pool.operator_id = worked_days.operator_id and pool.business_day = worked_days.business_day
    left join spread as own
        on
            pool.month_start = own.business_day and pool.operator_id = own.operator_id
            and pool.topic_class = own.topic_class and pool.length_band = own.length_band
    left join spread as kinds
        on
            pool.month_start = kinds.business_day and kinds.operator_id = '*'
            and pool.topic_class = kinds.topic_class and pool.length_band = kinds.length_band
    left join spread as whole
        on
            pool.month_start = whole.business_day and whole.operator_id = '*'
            and whole.topic_class = '*' and whole.length_band = '*'
    where {{ in_reach(0, 120, 'pool.business_day') }}
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
