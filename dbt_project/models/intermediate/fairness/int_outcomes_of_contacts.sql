{{ config(materialized='view') }}
-- Grain: contact x measure, for contacts of known subscribers within 90 days. Whether the subscriber had to come back
-- or complained; contacts whose 7 days have not passed are left out. A complaint belongs to the last contact before it,
-- not to the one in which it was made: who takes complaints has not caused them. (Conduct asks for more, see
-- int_conduct_complaints.)
with
contacts as (
    select * from {{ ref('fct_repeat_contacts') }}
    where {{ in_last_days('business_day', 90) }}
),

complaints as (
    select
        ticket_id,
        subscriber_id,
        contact_id,
        opened_at
    from {{ ref('fct_tickets') }}
    where kind = 'complaint' and subscriber_id is not null and business_day >= {{ as_of_day(91) }}
),

before_complaints as (
    select
        contacts.contact_id,
        row_number() over (
            partition by complaints.ticket_id order by contacts.started_at desc, contacts.contact_id
        ) as place
    from complaints
    inner join contacts
        on
            complaints.subscriber_id = contacts.subscriber_id
            and complaints.opened_at > contacts.started_at
            and {{ add_seconds('contacts.started_at', 7 * 86400) }} >= complaints.opened_at
            and contacts.contact_id is distinct from complaints.contact_id
),

complained as (
    select distinct contact_id from before_complaints where place = 1
)

select
    'not_resolved_7d' as measure,
    contact_id,
    operator_id,
    branch_id,
    {{ outcome_of('is_repeat_7d') }} as x,
    business_day
from contacts
where is_repeat_7d is not null
union all
select
    'complaint_7d' as measure,
    contacts.contact_id,
    contacts.operator_id,
    contacts.branch_id,
    {{ outcome_of('complained.contact_id is not null') }} as x,
    contacts.business_day
from contacts
left join complained on contacts.contact_id = complained.contact_id
where contacts.is_repeat_any_7d is not null
