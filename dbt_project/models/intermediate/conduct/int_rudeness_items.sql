-- Grain: one observation of a signal of rudeness in the last two periods: a politeness rating, a heard call, an
-- answered call that may be complained about. A call heard by three listeners counts a third for each; listeners are
-- compared with themselves.
-- Not the outcomes of the scorecards (int_outcomes_of_*), which compare service: a 3 disappoints but is not rude, three
-- listeners are no three calls, only a fatal error of courtesy is rude, and a complaint must name the call.
with
contacts as (
    select
        contacts.contact_id,
        contacts.contact_kind,
        contacts.outcome,
        contacts.first_operator_id,
        contacts.operators,
        contacts.ended_at,
        contacts.wait_seconds,
        contacts.business_day,
        mix.topic_id,
        mix.topic_class,
        {{ repeat_band('mix.is_repeat') }} as repeat_band,
        {{ outage_band('mix.has_outage') }} as outage_band
    from {{ ref('fct_contacts') }} as contacts
    left join {{ ref('int_contact_case_mix') }} as mix
        on contacts.contact_id = mix.contact_id and {{ in_conduct_periods('mix.business_day') }}
    where contacts.contact_kind = 'call' and {{ in_conduct_periods('contacts.business_day') }}
),

rated as (
    select
        ratings.operator_id,
        ratings.rating_id,
        ratings.contact_id,
        ratings.rating,
        ratings.business_day,
        contacts.topic_id,
        case when contacts.wait_seconds > 60 then 'waited' else 'served' end as wait_band,
        contacts.repeat_band,
        contacts.outage_band
    from {{ ref('fct_ratings') }} as ratings
    left join contacts on ratings.contact_id = contacts.contact_id
    where
        ratings.criterion = 'politeness' and ratings.rating is not null and ratings.operator_id is not null
        and {{ in_conduct_periods('ratings.business_day') }}
),

heard as (
    select
        evaluations.*,
        round(1.0 / count(*) over (
            partition by coalesce(evaluations.contact_id, evaluations.evaluation_id), evaluations.operator_id
        ), 6) as weight
    from {{ ref('fct_evaluations') }} as evaluations
    where evaluations.operator_id is not null and {{ in_conduct_periods('evaluations.business_day') }}
),

-- Where several operators spoke with the caller nobody knows whom the complaint means.
complained as (
    select
        contacts.*,
        complaints.ticket_id
    from contacts
    left join {{ ref('int_conduct_complaints') }} as complaints on contacts.contact_id = complaints.contact_id
    where contacts.outcome = 'answered' and contacts.operators = 1 and contacts.first_operator_id is not null
)

{%- set rated_within = ['topic_id', 'wait_band', 'repeat_band', 'outage_band'] %}

select
{{ observation('low_politeness', 'rating_id', 'case when rating <= 2 then 1 else 0 end', rated_within,
    value='rating') }}
from rated
union all
select
    {{ observation('politeness_mean', 'rating_id', 'rating', rated_within, x2='rating * rating', value='rating') }}
from rated
{% for signal, is_bad, known in [
    ('rude_tone', 'is_rude', 'is_rude is not null'),
    ('unfriendly_tone', "tone in ('cold', 'rude')", 'tone is not null'),
    ('courtesy_error', 'fatal_customer > 0', 'fatal_customer is not null'),
] -%}
    union all
    select
{{ observation(signal, 'evaluation_id', 'case when ' ~ is_bad ~ ' then weight else 0 end',
    ['evaluator_id', 'topic_class'], n='weight', value='score_raw', listener_id='evaluator_id') }}
    from heard
    where {{ known }}
{% endfor -%}
union all
select
{{ observation('conduct_complaint', 'coalesce(ticket_id, contact_id)',
    'case when ticket_id is not null then 1 else 0 end', ['topic_class', 'repeat_band'],
    operator_id='first_operator_id') }}
from complained
