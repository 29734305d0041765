{{ config(pre_hook="{{ days_by_bitmaps(or_whole=true) }}") }}
-- Grain: one bad experience of the 28 days up to the as-of day: who, why, when, and the contact, ticket or order it is
-- known from.
{% set days = 28 %}
with
contacts as (
    select
        contacts.*,
        count(*) filter (where wait_band = 'gave_up') over (partition by subscriber_id) as lost_calls
    from {{ ref('int_retention_contacts') }} as contacts
    where {{ in_last_days('business_day', days) }}
),

orders as (
    select
        *,
        {{ local_date('connected_at', default_zone()) }} as connected_on
    from {{ ref('fct_connections') }}
    where {{ in_last_days('business_day', 180) }} and cancelled_at is null and subscriber_id is not null
),

bad_contacts as (
    {% for reason, condition in [
        ('not_solved', "solved_band = 'not_solved'"),
        ('late_repair', "repair_target_band = 'late'"),
        ('abandoned_twice', "wait_band = 'gave_up' and lost_calls >= 2"),
        ('repeat_contacts', "repeat_band = 'third_or_more'"),
        ('low_rating', 'lowest_rating <= 2 or satisfaction <= 2'),
        ('long_wait', "wait_band = 'over_3min'"),
    ] %}
        select
            subscriber_id,
            '{{ reason }}' as reason,
            contact_id as reference,
            topic_id,
            business_day as event_day
        from contacts
        where {{ condition }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

late_orders as (
    select
        subscriber_id,
        connection_id,
        case when connected_at is null then {{ add_days('promised_on', 1) }} else connected_on end as event_day
    from orders
    where
        (connected_at is null and promised_on < {{ as_of_day() }})
        or (connected_at is not null and is_on_promise = false)
)

select * from bad_contacts
union all
select
    subscriber_id,
    'late_connection' as reason,
    connection_id as reference,
    cast(null as {{ dbt.type_string() }}) as topic_id,
    event_day
from late_orders
where {{ in_last_days('event_day', days) }}
union all
select
    subscriber_id,
    'complaint' as reason,
    ticket_id as reference,
    topic_id,
    business_day as event_day
from {{ ref('fct_tickets') }}
where kind = 'complaint' and subscriber_id is not null and {{ in_last_days('business_day', days) }}
