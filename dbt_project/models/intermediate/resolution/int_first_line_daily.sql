{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 31, 'after': 0, 'of': 'touched_days', 'repeats_alone': true}},
        indexes=[{'columns': ['business_day']}],
        pre_hook=["{{ hashed_joins() }}", "{{ days_by_bitmaps(or_whole=true) }}"]
    )
}}
-- Contacts whose week has passed: came back with the same topic, or handed on. Handed on is a contact from which a
-- ticket was opened within 31 days that needed somebody else: assigned to another person or team than its opener, or
-- a fault found valid. So a day also reads the month after it.
with
contacts as (
    select * from {{ ref('fct_repeat_contacts') }}
    where is_repeat_7d is not null and {{ in_reach(31, 0) }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
    where {{ near_touched_days('business_day', 31, 31) }}
),

assignments as (
    select
        ticket_id,
        operator_id,
        business_day
    from {{ ref('fct_ticket_events') }}
    where event = 'assigned' and {{ near_touched_days('business_day', 31, 31) }}
),

handed_on as (
    select distinct contacts.contact_id
    from contacts
    inner join tickets
        on
            contacts.contact_id = tickets.contact_id
            and {{ add_days('contacts.business_day', 31) }} >= tickets.business_day
    left join assignments
        on
            tickets.ticket_id = assignments.ticket_id
            and {{ add_days('contacts.business_day', 31) }} >= assignments.business_day
    where
        (tickets.kind = 'fault' and tickets.is_valid_fault)
        or (
            assignments.ticket_id is not null
            and (assignments.operator_id is null or assignments.operator_id <> tickets.operator_id)
        )
),

judged as (
    select
        contacts.operator_id,
        contacts.branch_id,
        contacts.topic_id,
        contacts.is_repeat_7d,
        handed_on.contact_id is not null as is_handed_on,
        contacts.business_day
    from contacts
    left join handed_on on contacts.contact_id = handed_on.contact_id
)

{{ by_grain('judged', first_line_measures()) }}
