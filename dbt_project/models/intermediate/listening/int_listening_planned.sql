{{ config(materialized='view') }}
-- Grain: one call of a plan day, of both streams. A view: the mart bounds the days.
with
-- Placed here, where the day stands once: of two columns that are the same day, Postgres hands a reader's bound on the
-- second not down through the window, and reads every plan there ever was.
draws as (
    select
        *,
        row_number() over (partition by business_day order by draw_hash, contact_id) as place
    from {{ ref('int_listening_draw') }}
    where is_drawn
),

targets as (
    select * from {{ ref('int_listening_targets') }}
),

signals as (
    select * from {{ ref('int_listening_signals') }}
),

planned as (
    select
        draws.contact_id,
        'sample' as stream,
        case when draws.is_floor then 'floor' else 'stratum' end as reason,
        signals.signal,
        draws.operator_id,
        draws.branch_id,
        draws.topic_id,
        draws.topic_class,
        draws.length_band,
        draws.talk_seconds,
        draws.started_at,
        draws.business_day as call_day,
        draws.stratum_sd,
        draws.stratum_calls,
        draws.stratum_expected,
        draws.stratum_drawn,
        draws.floor_pi,
        draws.rest_pi,
        draws.pi,
        draws.draw_hash,
        draws.place,
        draws.business_day
    from draws
    left join signals on draws.contact_id = signals.contact_id and draws.business_day = signals.business_day
    union all
    select
        contact_id,
        'targeted' as stream,
        signal as reason,
        signal,
        operator_id,
        branch_id,
        topic_id,
        topic_class,
        length_band,
        talk_seconds,
        started_at,
        call_day,
        null as stratum_sd,
        null as stratum_calls,
        null as stratum_expected,
        null as stratum_drawn,
        null as floor_pi,
        null as rest_pi,
        null as pi,
        null as draw_hash,
        target_rank as place,
        business_day
    from targets
)

select * from planned
