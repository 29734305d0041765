{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 0, 'after': 120}},
        indexes=[{'columns': ['business_day']}],
        pre_hook="{{ hashed_joins() }}"
    )
}}
-- Grain: one call and plan day, when a signal asks for it and the sample of its own day has not drawn it: the heaviest
-- signals of the day first, then by hash, as many as people can listen to.
with
signals as (
    select * from {{ ref('int_listening_signals') }}
    where {{ in_reach(0, 120) }}
),

draws as (
    select
        contact_id,
        business_day
    from {{ ref('int_listening_draw') }}
    where is_drawn and {{ near_touched_days('business_day', 7, 120) }}
),

ranked as (
    select
        signals.*,
        row_number() over (
            partition by signals.business_day
            order by
                signals.signal_weight,
                signals.worst_rating nulls last,
                {{ hash_uniform(text_literal(var('listening_seed')) ~ " || '|target|' || signals.contact_id") }},
                signals.contact_id
        ) as target_rank
    from signals
    left join draws on signals.contact_id = draws.contact_id and signals.call_day = draws.business_day
    where draws.contact_id is null
)

select
    contact_id,
    signal,
    signals,
    branch_id,
    operator_id,
    topic_id,
    topic_class,
    length_band,
    talk_seconds,
    started_at,
    target_rank,
    call_day,
    business_day
from ranked
where target_rank <= {{ var('listening_targeted_per_day') }}
