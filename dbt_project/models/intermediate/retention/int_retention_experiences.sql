{{ config(pre_hook="{{ working_memory() }}") }}
-- Grain: subscriber x experience x band x day in the 270 days up to the as-of day, for those who were customers when
-- the day ended. Late connections and complaints are experiences beside contacts. left_on after the as-of day is not
-- known yet.
{% set days = retention_days_read() %}
with
contacts as (
    select * from {{ ref('int_retention_contacts') }}
),

connections as (
    select
        connections.subscriber_id,
        connections.is_on_promise,
        {{ local_date('connections.connected_at', zone_of('branches')) }} as business_day
    from {{ ref('fct_connections') }} as connections
    left join {{ ref('int_branches') }} as branches
        on connections.branch_id = branches.branch_id and {{ holds_on('branches', 'connections.business_day') }}
    where {{ in_last_days('connections.business_day', days + 180) }} and connections.connected_at is not null
),

experiences as (
    {% for experience, band in retention_experiences() %}
        select
            subscriber_id,
            '{{ experience }}' as experience,
            {{ band }} as band,
            business_day
        from contacts
        union
    {% endfor %}
    select
        subscriber_id,
        'connection' as experience,
        case when is_on_promise then 'on_time' else 'late' end as band,
        business_day
    from connections
    where is_on_promise is not null and {{ in_last_days('business_day', days) }}
    union
    select
        subscriber_id,
        'complaint' as experience,
        'complaint' as band,
        business_day
    from {{ ref('fct_tickets') }}
    where kind = 'complaint' and {{ in_last_days('business_day', days) }}
)

select
    experiences.subscriber_id,
    experiences.experience,
    experiences.band,
    coalesce(subscribers.branch_id, 'unknown') as branch_id,
    coalesce(subscribers.technology, 'unknown') as technology,
    subscribers.connected_on,
    case when subscribers.left_on <= {{ as_of_day() }} then subscribers.left_on end as left_on,
    {{ dbt.datediff('experiences.business_day', as_of_day(), 'day') }} as days_ago,
    experiences.business_day as experience_day
from experiences
inner join {{ ref('dim_subscriber') }} as subscribers on experiences.subscriber_id = subscribers.subscriber_id
where subscribers.left_on is null or subscribers.left_on > experiences.business_day
