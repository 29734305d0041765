{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 31, 'after': 0}},
        indexes=[{'columns': ['business_day']}]
    )
}}
-- What subscribers said about a contact, on the contact's day and for the operator who handled it first. An interview
-- comes days later, so a day also reads the month after it. One about no known contact, or about one more than 31 days
-- before it, counts on its own day. Interviews about a new connection are about no contact.
with
responses as (
    select * from {{ ref('fct_survey_responses') }}
    where is_complete and connection_id is null and {{ near_touched_days('business_day', 31, 31) }}
),

contacts as (
    select
        contact_id,
        first_operator_id,
        branch_id,
        topic_id,
        business_day
    from {{ ref('fct_contacts') }}
    where {{ near_touched_days('business_day', 62, 31) }}
),

placed as (
    select
        coalesce(contacts.first_operator_id, responses.operator_id) as operator_id,
        coalesce(contacts.branch_id, responses.branch_id) as branch_id,
        coalesce(contacts.topic_id, responses.topic_id) as topic_id,
        responses.is_solved,
        responses.is_first_contact_solved,
        contacts.contact_id is null as is_on_interview_day,
        coalesce(contacts.business_day, responses.business_day) as business_day
    from responses
    left join contacts
        on
            responses.contact_id = contacts.contact_id
            and contacts.business_day <= responses.business_day
            and {{ add_days('contacts.business_day', 31) }} >= responses.business_day
),

bounded as (
    select * from placed
    where {{ in_reach(31, 0) }}
)

{{ by_grain('bounded', contact_survey_measures()) }}
