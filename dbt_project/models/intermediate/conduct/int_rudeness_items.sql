-- Grain: one observation of a signal of rudeness in the last two periods: a politeness rating, a heard call, an
-- answered call that may be complained about. x of n as it counts (a call heard by three listeners counts a third
-- each); dim_1 .. dim_4: what it is compared within, the most important first; value: rating, score of the call, in points.
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
        mix.is_repeat,
        mix.has_outage
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
        coalesce(contacts.topic_id, 'unknown') as dim_1,
        coalesce(case when contacts.wait_seconds > 60 then 'waited' else 'served' end, '') as dim_2,
        case when contacts.is_repeat then 'repeat' else 'first' end as dim_3,
        case when contacts.has_outage then 'outage' else '' end as dim_4
    from {{ ref('fct_ratings') }} as ratings
    left join contacts on ratings.contact_id = contacts.contact_id
    where
        ratings.criterion = 'politeness' and ratings.answer_kind = 'rated' and ratings.operator_id is not null
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
)

{% for signal, x in [('low_politeness', 'case when rating <= 2 then 1 else 0 end'), ('politeness_mean', 'rating')] -%}
select
    '{{ signal }}' as signal,
    operator_id,
    rating_id as item_id,
    contact_id,
    null as listener_id,
    cast(1 as numeric(28, 6)) as n,
    cast({{ x }} as numeric(28, 6)) as x,
    cast(rating as numeric(28, 6)) as value,
    dim_1,
    dim_2,
    dim_3,
    dim_4,
    business_day
from rated
union all
{% endfor -%}
{% for signal, is_bad, known in [
    ('rude_tone', 'is_rude', 'tone is not null'),
    ('unfriendly_tone', "tone in ('cold', 'rude')", 'tone is not null'),
    ('courtesy_error', 'fatal_customer > 0', 'fatal_customer is not null'),
] -%}
select
    '{{ signal }}', operator_id, evaluation_id, contact_id, evaluator_id, weight,
    case when {{ is_bad }} then weight else 0 end, score_raw, coalesce(evaluator_id, ''), coalesce(topic_class, ''), '', '',
    business_day
from heard
where {{ known }}
union all
{% endfor -%}
-- Where several operators spoke with the caller nobody knows whom the complaint means.
select
    'conduct_complaint', contacts.first_operator_id, coalesce(complaints.ticket_id, contacts.contact_id),
    contacts.contact_id, null, 1, case when complaints.ticket_id is not null then 1 else 0 end, null,
    coalesce(contacts.topic_class, ''), case when contacts.is_repeat then 'repeat' else 'first' end, '', '',
    contacts.business_day
from contacts
left join {{ ref('int_conduct_complaints') }} as complaints on contacts.contact_id = complaints.contact_id
where contacts.outcome = 'answered' and contacts.operators = 1 and contacts.first_operator_id is not null
