{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
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

topics as (
    select distinct
        topic_id,
        valid_from,
        valid_to
    from {{ ref('int_topics') }}
),

contacts as (
    select
        contacts.branch_id,
        contacts.topic_id,
        contacts.contact_id,
        tickets.outage_id,
        contacts.business_day
    from {{ ref('fct_contacts') }} as contacts
    left join {{ ref('fct_tickets') }} as tickets
        on contacts.ticket_id = tickets.ticket_id and {{ near_touched_days('tickets.business_day', 1, 1) }}
    where {{ in_touched_days('contacts.business_day') }}
),

counted as (
    {% for branch in ['branch_id', "'*'"] -%}
        select
            {{ branch }} as branch_id,
            topic_id,
            count(*) as contacts,
            count(outage_id) as outage_contacts,
            business_day
        from contacts
        group by {{ 'branch_id, ' if loop.first }}topic_id, business_day
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

holidays as (
    select
        branch_id,
        day
    from {{ ref('stg_ops__setting_holidays') }}
),

wanted as (
    select distinct
        days.branch_id,
        topics.topic_id,
        days.business_day
    from days
    inner join topics on {{ is_valid_on('topics', 'days.business_day') }}
    union
    select
        branch_id,
        topic_id,
        business_day
    from counted
)

select
    wanted.branch_id,
    wanted.topic_id,
    coalesce(days.coverage, 'partial') as coverage,
    own_holidays.day is not null or holidays.day is not null as is_holiday,
    coalesce(counted.contacts, case when days.coverage in ('loaded', 'partial') then 0 end) as contacts,
    coalesce(counted.outage_contacts, case when days.coverage in ('loaded', 'partial') then 0 end) as outage_contacts,
    wanted.business_day
from wanted
left join holidays on wanted.business_day = holidays.day and holidays.branch_id = '*'
left join holidays as own_holidays
    on wanted.business_day = own_holidays.day and wanted.branch_id = own_holidays.branch_id
left join days on wanted.branch_id = days.branch_id and wanted.business_day = days.business_day
left join counted
    on
        wanted.branch_id = counted.branch_id
        and wanted.topic_id = counted.topic_id
        and wanted.business_day = counted.business_day
