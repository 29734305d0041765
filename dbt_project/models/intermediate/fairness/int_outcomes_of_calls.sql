{{ config(materialized='view') }}
-- Grain: answered visit x measure, or day x unit x queue class x hour band x measure, within 90 days. Whether a call is
-- answered shows before anybody knows what it is about: abandoned and unanswered calls are compared by queue, hour and
-- outage only, which all of them have.
with
visits as (
    select
        visits.*,
        coalesce(visits.topic_class, 'unknown') as queue_class,
        {{ hour_band(local_hour('visits.entered_at', zone_of('branches'))) }} as hour_band
    from {{ ref('fct_queue_visits') }} as visits
    left join {{ ref('int_branches') }} as branches
        on visits.branch_id = branches.branch_id and {{ holds_on('branches', 'visits.business_day') }}
    where {{ in_last_days('visits.business_day', 90) }}
),

-- A ring that was cut short counts too: queues ring their operators alike, and these are compared by queue and hour.
rings as (
    select
        rings.operator_id,
        rings.branch_id,
        rings.is_missed,
        visits.queue_class,
        visits.hour_band,
        rings.business_day
    from {{ ref('int_operator_rings') }} as rings
    inner join visits on rings.queue_visit_id = visits.queue_visit_id
)

{% set text = dbt.type_string() -%}
{% set answered = is_talked_in('visits') -%}
{% set ended = "outcome = 'answered' or (outcome = 'abandoned' and not is_short_abandon)" -%}
{% for measure, x, condition in [
    ('handle_time', log_of('talk_seconds'), answered ~ ' and talk_seconds is not null'),
    ('transfer', outcome_of('transfer_kind is not null'), answered),
] -%}
    select
        '{{ measure }}' as measure,
        contact_id,
        operator_id,
        branch_id,
        queue_class,
        cast(null as {{ text }}) as hour_band,
        1 as n,
        {{ x }} as x,
        {{ x }} * {{ x }} as x2,
        business_day
    from visits
    where {{ condition }}
    union all
{% endfor -%}
{% for measure, operator, relation, x, condition in [
    ('abandoned', none, 'visits', outcome_of("outcome = 'abandoned'"), ended),
    ('answered_late', none, 'visits',
     outcome_of("outcome = 'abandoned' or wait_seconds > service_level_seconds"), ended),
    ('wait', none, 'visits', log_of('wait_seconds'), "outcome = 'answered' and wait_seconds is not null"),
    ('ring_no_answer', 'operator_id', 'rings', outcome_of('is_missed = 1'), 'operator_id is not null'),
] -%}
    select
        '{{ measure }}' as measure,
        cast(null as {{ text }}) as contact_id,
        {{ operator or 'cast(null as ' ~ text ~ ')' }} as operator_id,
        branch_id,
        queue_class,
        hour_band,
        count(*) as n,
        sum({{ x }}) as x,
        sum({{ x }} * {{ x }}) as x2,
        business_day
    from {{ relation }}
    where {{ condition }}
    group by {{ operator ~ ', ' if operator }}branch_id, queue_class, hour_band, business_day
    {{ 'union all' if not loop.last }}
{% endfor %}
