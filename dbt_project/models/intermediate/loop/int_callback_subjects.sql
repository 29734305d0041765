{{ config(pre_hook=["{{ hashed_joins() }}", "{{ days_by_bitmaps(or_whole=true) }}"]) }}
-- The calls that are still to be made on the morning after the as-of day, with what is known of the subscriber and the
-- matter. Local days of eastern branches are one ahead of the as-of day.
with
calls as (
    select * from {{ ref('callbacks') }}
    where
        {{ in_last_days('business_day', 44, -1) }}
        and owed_at < {{ data_until() }}
        and expires_at > {{ data_until() }}
        and coalesce(state, 'due') in ('due', 'attempted', 'overdue')
        and left_at is null
        and coalesce(attempts, 0) < {{ var('callback_max_attempts') }}
),

contacts as (
    select
        subscriber_id,
        count(*) as contacts
    from {{ ref('fct_contacts') }}
    where is_handled and subscriber_id is not null and {{ in_last_days('business_day', 30) }}
    group by subscriber_id
),

ratings as (
    select
        contacts.subscriber_id,
        min(ratings.rating) as lowest_rating
    from {{ ref('fct_ratings') }} as ratings
    inner join {{ ref('fct_contacts') }} as contacts
        on ratings.contact_id = contacts.contact_id and ratings.business_day = contacts.business_day
    where
        contacts.subscriber_id is not null
        and {{ in_last_days('ratings.business_day', 30) }}
        and {{ in_last_days('contacts.business_day', 30) }}
    group by contacts.subscriber_id
),

earlier as (
    select
        subscriber_id,
        count(*) as not_solved
    from {{ ref('callbacks') }}
    where state = 'not_solved' and subscriber_id is not null and {{ in_last_days('business_day', 90) }}
    group by subscriber_id
),

comments as (
    select
        subscriber_id,
        comment,
        row_number() over (
            partition by subscriber_id
            order by attempted_at desc, survey_response_id desc
        ) as place
    from {{ ref('fct_survey_responses') }}
    where comment <> '' and subscriber_id is not null and {{ in_last_days('business_day', 90) }}
)

select
    calls.callback_id,
    calls.reason,
    calls.key_moment,
    calls.subscriber_id,
    calls.branch_id,
    calls.topic_id,
    calls.topic_class,
    calls.operator_id,
    calls.contact_id,
    calls.ticket_id,
    calls.connection_id,
    calls.owed_at,
    calls.due_at,
    calls.expires_at,
    calls.attempts,
    calls.last_attempt_at,
    calls.outcome as last_outcome,
    coalesce(ratings.lowest_rating, calls.lowest_rating) as lowest_rating,
    coalesce(earlier.not_solved, 0) as not_solved_before,
    case when calls.subscriber_id is not null then coalesce(contacts.contacts, 0) end as contacts_30d,
    comments.comment as last_comment
from calls
left join contacts on calls.subscriber_id = contacts.subscriber_id
left join ratings on calls.subscriber_id = ratings.subscriber_id
left join earlier on calls.subscriber_id = earlier.subscriber_id
left join comments on calls.subscriber_id = comments.subscriber_id and comments.place = 1
