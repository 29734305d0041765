-- Contacts of the touched days with a rating that owes a call: what was rated lowest, and when first so low.
with
ratings as (
    select
        contact_id,
        min(operator_id) as operator_id,
        min(rated_at) as rated_at,
        min(rating) as lowest_rating
    from {{ ref('fct_ratings') }}
    where
        rating <= {{ var('callback_low_rating') }}
        and contact_id is not null
        and {{ in_touched_days('business_day') }}
    group by contact_id
)

select
    contacts.contact_id,
    contacts.ticket_id,
    contacts.subscriber_id,
    contacts.branch_id,
    contacts.topic_id,
    ratings.operator_id,
    ratings.rated_at,
    ratings.lowest_rating,
    contacts.business_day
from ratings
inner join {{ ref('fct_contacts') }} as contacts on ratings.contact_id = contacts.contact_id
where {{ in_touched_days('contacts.business_day') }}
