{{ config(materialized='view') }}
-- Grain: ticket or order x measure, within 90 days, by the day it was opened or ordered. The setting is what decides
-- the target: kind and priority of a ticket, technology of a line. What is not due yet is left out.
with
tickets as (
    select
        *,
        kind || ' ' || coalesce(priority, '') as setting
    from {{ ref('fct_tickets') }}
    where {{ in_last_days('business_day', 90) }}
),

replies as (
    select
        tickets.ticket_id,
        min(events.operator_id) as operator_id
    from tickets
    inner join {{ ref('fct_ticket_events') }} as events
        on tickets.ticket_id = events.ticket_id and tickets.first_reply_at = events.event_at
    where events.event = 'replied' and events.business_day >= {{ as_of_day(90) }}
    group by tickets.ticket_id
)

select
    'first_reply' as measure,
    tickets.contact_id,
    replies.operator_id,
    tickets.branch_id,
    tickets.topic_id,
    tickets.setting,
    {{ log_of('tickets.first_reply_business_minutes') }} as x,
    tickets.business_day
from tickets
left join replies on tickets.ticket_id = replies.ticket_id
where tickets.first_reply_business_minutes is not null
union all
select
    'repair_late' as measure,
    contact_id,
    cast(null as {{ dbt.type_string() }}) as operator_id,
    branch_id,
    topic_id,
    setting,
    {{ outcome_of('not is_within_target') }} as x,
    business_day
from tickets
where kind = 'fault' and is_valid_fault and is_within_target is not null and due_at is not null
union all
select
    'connection_late' as measure,
    cast(null as {{ dbt.type_string() }}) as contact_id,
    cast(null as {{ dbt.type_string() }}) as operator_id,
    branch_id,
    cast(null as {{ dbt.type_string() }}) as topic_id,
    technology as setting,
    {{ outcome_of('not is_on_promise') }} as x,
    business_day
from {{ ref('fct_connections') }}
where {{ in_last_days('business_day', 90) }} and is_on_promise is not null
