-- Grain: contact of a known subscriber in the 270 days up to the as-of day, with what was experienced, in bands. Not
-- solved: somebody said so (survey), the ticket was opened again or missed its target unsolved, or the subscriber
-- came back with the topic within 7 days; solved: none of that, and a survey, a solved ticket or 7 quiet days say so.
{% set days = retention_days() + 90 %}
with
contacts as (
    select
        *,
        lag(started_at) over by_subscriber as before_at,
        lag(started_at, 2) over by_subscriber as second_before_at
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
),

told as (
    select
        contacts.*,
        ratings.lowest_rating,
        surveys.satisfaction,
        tickets.is_late_fault,
        case
            when surveys.is_solved = false or tickets.is_reopened or tickets.is_overdue or repeats.is_repeat_7d
                then 'not_solved'
            when surveys.is_solved or tickets.is_solved or repeats.is_repeat_7d = false then 'solved'
            else 'unknown'
        end as solved_band,
        coalesce(tickets.repair_band, 'no_fault') as repair_band
    from contacts
    left join repeats on contacts.contact_id = repeats.contact_id
    left join ratings on contacts.contact_id = ratings.contact_id
    left join surveys on contacts.contact_id = surveys.contact_id
    left join tickets on contacts.contact_id = tickets.contact_id
)

select
    contact_id,
    subscriber_id,
    branch_id,
    topic_id,
    contact_kind,
    outcome,
    wait_seconds,
    lowest_rating,
    satisfaction,
    case
        when contact_kind <> 'call' then 'no_call'
        when outcome = 'left_in_menu' then 'left_in_menu'
        when not is_handled then 'gave_up'
        when wait_seconds <= 20 then 'up_to_20s'
        when wait_seconds <= 60 then '20s_to_1min'
        when wait_seconds <= 180 then '1_to_3min'
        when wait_seconds > 180 then 'over_3min'
        else 'unknown'
    end as wait_band,
    solved_band,
    case
        when lowest_rating <= 2 then 'low'
        when lowest_rating = 3 then 'middle'
        when lowest_rating >= 4 then 'high'
        else 'not_rated'
    end as rating_band,
    case
        when {{ seconds_between('second_before_at', 'started_at') }} <= 7 * 86400 then 'third_or_more'
        when {{ seconds_between('before_at', 'started_at') }} <= 7 * 86400 then 'second'
        else 'first'
    end as repeat_band,
    repair_band,
    case when is_late_fault then 'late' when is_late_fault = false then 'in_target' else 'no_fault' end
        as repair_target_band,
    business_day
from told
