{{
    config(
        materialized='incremental',
        unlogged=false,
        incremental_strategy='replace_days',
        meta={'reach': {'before': 0, 'after': 7}},
        indexes=[{'columns': ['business_day']}]
    )
}}
-- Grain: one handled contact. What makes it easy or hard and is not in the operator's hands: operators and branches
-- are compared within these. A contact is a repeat when the same subscriber was handled in the 7 days before it, so a
-- day also reads the week before it.
with
contacts as (
    select * from {{ ref('fct_contacts') }}
    where is_handled and {{ near_touched_days('business_day', 7, 7) }}
),

followed as (
    select
        *,
        case
            when subscriber_id is not null
                then lag(started_at) over (partition by subscriber_id order by started_at, contact_id)
        end as contact_before_at
    from contacts
),

outages as (
    select distinct
        branch_id,
        business_day
    from {{ ref('fct_tickets') }}
    where outage_id is not null and {{ in_reach(0, 7) }}
),

subscribers as (
    select
        subscriber_id,
        connected_on
    from {{ ref('dim_subscriber') }}
),

placed as (
    select
        followed.*,
        {{ local_hour('followed.started_at', zone_of('branches')) }} as local_hour,
        {{ dbt.datediff('subscribers.connected_on', 'followed.business_day', 'day') }} as tenure_days,
        outages.branch_id is not null as has_outage
    from followed
    left join subscribers on followed.subscriber_id = subscribers.subscriber_id
    left join outages on followed.branch_id = outages.branch_id and followed.business_day = outages.business_day
    left join {{ ref('int_branches') }} as branches
        on followed.branch_id = branches.branch_id and {{ holds_on('branches', 'followed.business_day') }}
)

select
    contact_id,
    branch_id,
    first_operator_id as operator_id,
    last_operator_id,
    subscriber_id,
    contact_kind,
    channel,
    topic_id,
    topic_class,
    {{ hour_band('local_hour') }} as hour_band,
    case
        when tenure_days is null or tenure_days < 0 then 'unknown'
        when tenure_days < 90 then 'new'
        when tenure_days < 730 then 'settled'
        else 'old'
    end as tenure_band,
    coalesce({{ seconds_between('contact_before_at', 'started_at') }} <= 7 * 86400, false) as is_repeat,
    has_outage,
    business_day
from placed
where {{ in_reach(0, 7) }}
