{{
    config(
        materialized='incremental',
        unlogged=false,
        incremental_strategy='replace_days',
        indexes=[{'columns': ['call_id']}, {'columns': ['business_day']}]
    )
}}
-- Every call id of each contact: the door through which tickets, notes, evaluations and surveys find it.
select
    links.server_id,
    links.call_id,
    contacts.contact_id,
    contacts.started_at,
    contacts.branch_id,
    contacts.business_day
from {{ ref('int_call_contacts') }} as contacts
inner join {{ ref('int_call_links') }} as links
    on contacts.server_id = links.server_id and contacts.root_id = links.root_id
where {{ in_touched_days('contacts.business_day') }}
