{{ config(pre_hook="{{ days_by_bitmaps() }}") }}
-- Grain: contact of a known subscriber in the 270 days up to the as-of day, the two before it and what became of it.
-- Not solved: somebody said so (survey), the ticket was opened again or missed its target unsolved, or the subscriber
-- came back with the topic within 7 days; solved: none of that, and a survey, a solved ticket or 7 quiet days say so.
{% set days = retention_days_read() %}
with
contacts as (
    select
        contact_id,
        subscriber_id,
        branch_id,
        topic_id,
        contact_kind,
        outcome,
        is_handled,
        wait_seconds,
        started_at,
        lag(started_at) over by_subscriber as before_at,
        lag(started_at, 2) over by_subscriber as second_before_at,
        business_day
    from {{ ref('fct_contacts') }}
    where {{ in_last_days('business_day', days) }} and subscriber_id is not null
    window by_subscriber as (partition by subscriber_id order by started_at, contact_id)
),

repeats as (
    select
        contact_id,
        is_repeat_7d
    from {{ ref('fct_repeat_contacts') }}
    where {{ in_last_days('business_day', days) }}
),

ratings as (
    select
        contact_id,
        min(rating) as lowest_rating
    from {{ ref('fct_ratings') }}
    where {{ in_last_days('business_day', days) }} and contact_id is not null and answer_kind = 'rated'
    group by contact_id
),

surveys as (
    select
        contact_id,
        bool_and(is_solved) as is_solved,
        min(satisfaction) as satisfaction
    from {{ ref('fct_survey_responses') }}
    where {{ in_last_days('business_day', days) }} and contact_id is not null and is_complete
    group by contact_id
),

tickets as (
    select * from {{ ref('int_retention_tickets') }}
)

select
    contacts.*,
    ratings.lowest_rating,
    surveys.satisfaction,
    case
        when surveys.is_solved = false or tickets.is_reopened or tickets.is_overdue or repeats.is_repeat_7d
            then 'not_solved'
        when surveys.is_solved or tickets.is_solved or repeats.is_repeat_7d = false then 'solved'
        else 'unknown'
    end as solved_band,
    tickets.repair_band,
    tickets.is_late_fault
from contacts
left join repeats on contacts.contact_id = repeats.contact_id
left join ratings on contacts.contact_id = ratings.contact_id
left join surveys on contacts.contact_id = surveys.contact_id
left join tickets on contacts.contact_id = tickets.contact_id
