-- Grain: one observation of a signal of slowness in the last two periods: an answered call, a ring, a ticket; gaps
-- after calls by operator, queue, part of the day and day.
-- Not the outcomes of the scorecards (int_outcomes_of_*), which compare service: who hands a call over did not handle
-- it, a ring that another ended was not left ringing, and a ticket's owner owes a reply even if nobody replies.
with
visits as (
    select
        visits.*,
        {{ hour_band(local_hour('visits.answered_at', zone_of('branches'))) }} as hour_band
    from {{ ref('fct_queue_visits') }} as visits
    left join {{ ref('int_branches') }} as branches
        on visits.branch_id = branches.branch_id and {{ holds_on('branches', 'visits.business_day') }}
    where visits.operator_id is not null and {{ in_conduct_periods('visits.business_day') }}
),

-- A call that was handed over was not handled to its end.
handled as (
    select
        visits.*,
        mix.topic_id,
        {{ repeat_band('mix.is_repeat') }} as repeat_band,
        mix.tenure_band,
        {{ log_of('visits.talk_seconds') }} as log_talk
    from visits
    left join {{ ref('int_contact_case_mix') }} as mix
        on visits.contact_id = mix.contact_id and {{ in_conduct_periods('mix.business_day') }}
    where {{ is_talked_in('visits') }} and visits.talk_seconds is not null and visits.transfer_kind is null
),

-- Without a reply the solution was it; without either, 14 days hold more working time than any limit.
tickets as (
    select
        *,
        coalesce(first_reply_business_minutes, solution_business_minutes) as reply_minutes,
        case
            when
                coalesce(first_reply_business_minutes, solution_business_minutes)
                <= {{ var('conduct_late_reply_minutes') }} then 0
            else 1
        end as is_late
    from {{ ref('fct_tickets') }}
    where operator_id is not null and {{ in_conduct_periods('business_day') }}
)

select
{{ observation('handle_time', 'queue_visit_id', 'log_talk',
    ['topic_id', 'repeat_band', 'hour_band', 'tenure_band'], x2='log_talk * log_talk', value='talk_seconds') }}
from handled
union all
select
{{ observation('ring_no_answer', 'ring_id', 'is_missed', ['topic_class', 'hour_band'],
    value='case when is_missed = 1 then rang_ms / 1000.0 end') }}
from {{ ref('int_operator_rings') }}
where not is_cut_short and {{ in_conduct_periods('business_day') }}
union all
select
    {{ observation('late_reply', 'ticket_id', 'is_late', ['kind', 'channel', 'priority'], value='reply_minutes') }}
from tickets
where reply_minutes is not null or business_day <= {{ as_of_day(14) }}
union all
select
{{ observation('idle_while_waiting',
    "operator_id || '|' || server_id || '|' || queue || '|' || hour_band || '|' || business_day", 'idle_seconds',
    ['team_band', 'load_band', 'hour_band'], x2='idle_seconds_squared', n='gaps', value='longest_seconds',
    contact_id='null') }}
from {{ ref('int_operator_idle_daily') }}
where {{ in_conduct_periods('business_day') }}
