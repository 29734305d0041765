{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- Contacts whose ticket is a child of a known outage, by branch, topic, outage and day.
with
contacts as (
    select * from {{ ref('fct_contacts') }} where ticket_id is not null and {{ in_touched_days('business_day') }}
),

tickets as (
    select * from {{ ref('fct_tickets') }}
    where outage_id is not null and {{ near_touched_days('business_day', 1, 1) }}
)

select
    contacts.branch_id,
    contacts.topic_id,
    tickets.outage_id,
    count(*) as contacts,
    contacts.business_day
from contacts
inner join tickets on contacts.ticket_id = tickets.ticket_id
group by contacts.branch_id, contacts.topic_id, tickets.outage_id, contacts.business_day
