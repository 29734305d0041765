{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        indexes=[{'columns': ['day']}],
        meta={
            'reach': {'before': 0, 'after': 0, 'column': 'day', 'all_when_reclassified': true, 'of': 'touched_days'},
            'lookups': ['day'],
        }
    )
}}
-- A changed mapping moves the reading of today on every day there is.
with
topics as (
    select distinct
        topic_id,
        topic_class_now
    from {{ ref('dim_topic') }}
),

counted as (
    select
        contacts.*,
        topics.topic_class_now
    from {{ ref('int_contact_classes_daily') }} as contacts
    inner join topics on contacts.topic_id = topics.topic_id
    where {{ in_reclassified_days('contacts.business_day') }}
),

readings as (
    select
        branch_id,
        business_day,
        {{ class_or_reason('topic_class') }} as topic_class,
        contacts,
        contacts_handled,
        case when topic_source = 'ticket' then contacts else 0 end as contacts_from_ticket,
        case when topic_source = 'wrap_up' then contacts else 0 end as contacts_from_wrap_up,
        case when topic_source = 'queue' then contacts else 0 end as contacts_from_queue,
        0 as contacts_now,
        0 as contacts_handled_now
    from counted
    union all
    select
        branch_id,
        business_day,
        {{ class_or_reason('topic_class_now') }} as topic_class,
        0 as contacts,
        0 as contacts_handled,
        0 as contacts_from_ticket,
        0 as contacts_from_wrap_up,
        0 as contacts_from_queue,
        contacts as contacts_now,
        contacts_handled as contacts_handled_now
    from counted
),

contacts as (
    select
        branch_id as grain_id,
        topic_class,
        business_day,
    {% for name in class_counts() -%}
        {{ sum_of(name) }} as {{ name }}{{ ',' if not loop.last }}
    {% endfor -%}
    from readings
    group by branch_id, topic_class, business_day
),

classes as (
    {% for name in ['marketing', 'technical', 'client_service', 'unmapped', 'not_told'] -%}
        select cast('{{ name }}' as {{ dbt.type_string() }}) as topic_class{{ ' union all' if not loop.last }}
    {% endfor -%}
),

spine as (
    select
        spine.branch_id,
        classes.topic_class,
        spine.contacts_coverage,
        spine.business_day
    from {{ ref('int_branch_spine') }} as spine
    cross join classes
    where {{ in_reclassified_days('spine.business_day') }}
)

select
    spine.branch_id,
    spine.topic_class,
    {{ row_status('contacts', 'contacts.contacts') }},
    {{ counted('contacts', class_counts() | join(' ')) }},
    spine.business_day as day
from spine
left join contacts
    on
        spine.branch_id = contacts.grain_id
        and spine.topic_class = contacts.topic_class
        and spine.business_day = contacts.business_day
