-- Grain: one observation of a signal of slowness in the last two periods: an answered call, a ring, a ticket; gaps
-- after calls by operator, queue, part of the day and day. Columns as in int_rudeness_items; x2 is the sum of squares;
-- value: seconds of talk, ring or the longest wait beside a free operator, minutes to the first reply.
with
visits as (
    select
        visits.*,
        {{ hour_band(local_hour('visits.answered_at', zone_of('branches'))) }} as hour_band
    from {{ ref('fct_queue_visits') }} as visits
    left join {{ ref('int_branches') }} as branches
        on visits.branch_id = branches.branch_id and {{ holds_on('branches', 'visits.business_day') }}
    where
        visits.outcome = 'answered' and visits.operator_id is not null and {{ in_conduct_periods('visits.business_day') }}
),

mix as (
    select * from {{ ref('int_contact_case_mix') }}
    where {{ in_conduct_periods('business_day') }}
),

-- A phone that rang until somebody else took the call, or until the caller gave up, was not left ringing.
missed as (
    select
        rings.*,
        visits.contact_id,
        visits.topic_class,
        {{ hour_band(local_hour('rings.rang_at', zone_of('branches'))) }} as hour_band
    from {{ ref('fct_ring_no_answers') }} as rings
    left join {{ ref('fct_queue_visits') }} as visits
        on rings.queue_visit_id = visits.queue_visit_id and {{ in_conduct_periods('visits.business_day') }}
    left join {{ ref('int_branches') }} as branches
        on rings.branch_id = branches.branch_id and {{ holds_on('branches', 'rings.business_day') }}
    where
        {{ in_conduct_periods('rings.business_day') }}
        and coalesce(
            abs({{ seconds_between('rings.rang_at', 'coalesce(visits.answered_at, visits.ended_at)') }}) > 1, true
        )
),

-- Without a reply the solution was it; without either, 14 days hold more working time than any limit.
tickets as (
    select
        *,
        coalesce(first_reply_business_minutes, solution_business_minutes) as reply_minutes
    from {{ ref('fct_tickets') }}
    where operator_id is not null and {{ in_conduct_periods('business_day') }}
)

select
    'handle_time' as signal,
    visits.operator_id,
    visits.queue_visit_id as item_id,
    visits.contact_id,
    null as listener_id,
    cast(1 as numeric(28, 6)) as n,
    cast(ln(cast(visits.talk_seconds as {{ dbt.type_float() }})) as numeric(28, 6)) as x,
    cast(power(cast(ln(cast(visits.talk_seconds as {{ dbt.type_float() }})) as numeric(28, 6)), 2) as numeric(28, 6))
        as x2,
    cast(visits.talk_seconds as numeric(28, 6)) as value,
    coalesce(mix.topic_id, 'unknown') as dim_1,
    case when mix.is_repeat then 'repeat' else 'first' end as dim_2,
    visits.hour_band as dim_3,
    coalesce(mix.tenure_band, '') as dim_4,
    visits.business_day
from visits
left join mix on visits.contact_id = mix.contact_id
where visits.talk_seconds > 0 and not visits.is_talk_suspect and visits.transfer_kind is null
union all
select
    'ring_no_answer', operator_id, queue_visit_id, contact_id, null, 1, 0, 0, null, coalesce(topic_class, ''), hour_band, '',
    '', business_day
from visits
union all
select
    'ring_no_answer', operator_id, ring_no_answer_id, contact_id, null, 1, 1, 1, rang_ms / 1000.0,
    coalesce(topic_class, ''), hour_band, '', '', business_day
from missed
union all
select
    'late_reply', operator_id, ticket_id, contact_id, null, 1,
    case when reply_minutes <= {{ var('conduct_late_reply_minutes') }} then 0 else 1 end,
    case when reply_minutes <= {{ var('conduct_late_reply_minutes') }} then 0 else 1 end,
    reply_minutes, coalesce(kind, ''), coalesce(channel, ''), coalesce(priority, ''), '', business_day
from tickets
where reply_minutes is not null or business_day <= {{ as_of_day(14) }}
union all
select
    'idle_while_waiting', operator_id,
    operator_id || '|' || server_id || '|' || queue || '|' || hour_band || '|' || business_day, null, null, gaps,
    idle_seconds, idle_seconds_squared, longest_seconds, team_band, load_band, hour_band, '', business_day
from {{ ref('int_operator_idle_daily') }}
where {{ in_conduct_periods('business_day') }}
