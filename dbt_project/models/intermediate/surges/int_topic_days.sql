{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    pre_hook="{{ days_by_bitmaps(or_whole=true) }}"
) }}
-- Contacts of every topic in every branch ('*': in all of them) on every day that is due: a topic of which nobody
-- called has a row with 0, a day that is not loaded has null. Counts of what the judging of surges looks back on.
with
coverage as (
    select
        branch_id,
        contacts_coverage as coverage,
        business_day
    from {{ ref('int_domain_coverage') }}
    where branch_id <> '*' and is_due and {{ in_touched_days('business_day') }}
),

days as (
    select * from coverage
    union all
    select
        '*' as branch_id,
        case
            when bool_and(coverage = 'loaded') then 'loaded'
            when bool_and(coverage = 'not_loaded') then 'not_loaded'
            else 'partial'
        end as coverage,
        business_day
    from coverage
    group by business_day
),

contacts as (
    select
        contacts.branch_id,
        contacts.topic_id,
        tickets.outage_id,
        contacts.business_day
    from {{ ref('fct_contacts') }} as contacts
    left join {{ ref('fct_tickets') }} as tickets
        on contacts.ticket_id = tickets.ticket_id and {{ near_touched_days('tickets.business_day', 1, 1) }}
    where {{ in_touched_days('contacts.business_day') }}
),

-- Nobody for every topic that exists, so that it has a row, and those who called.
called as (
    select
        days.branch_id,
        topics.topic_id,
        0 as contacts,
        0 as outage_contacts,
        days.business_day
    from days
    inner join {{ ref('int_topics') }} as topics on {{ is_valid_on('topics', 'days.business_day') }}
    {% for branch in ['branch_id', "'*'"] -%}
        union all
        select
            {{ branch }} as branch_id,
            topic_id,
            1 as contacts,
            case when outage_id is null then 0 else 1 end as outage_contacts,
            business_day
        from contacts
    {% endfor -%}
),

counted as (
    select
        branch_id,
        topic_id,
        sum(contacts) as contacts,
        sum(outage_contacts) as outage_contacts,
        business_day
    from called
    group by branch_id, topic_id, business_day
)

select
    counted.branch_id,
    counted.topic_id,
    coalesce(days.coverage, 'partial') as coverage,
    own_holidays.day is not null or holidays.day is not null as is_holiday,
    {% for count in ['contacts', 'outage_contacts'] -%}
        case when counted.contacts > 0 or days.coverage in ('loaded', 'partial') then counted.{{ count }} end
            as {{ count }},
    {% endfor -%}
    counted.business_day
from counted
left join {{ ref('stg_ops__setting_holidays') }} as holidays
    on counted.business_day = holidays.day and holidays.branch_id = '*'
left join {{ ref('stg_ops__setting_holidays') }} as own_holidays
    on counted.business_day = own_holidays.day and counted.branch_id = own_holidays.branch_id
left join days on counted.branch_id = days.branch_id and counted.business_day = days.business_day
