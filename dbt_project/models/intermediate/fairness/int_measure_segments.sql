{{ config(pre_hook="{{ working_memory() }}") }}
-- Grain: measure x operator x branch x piece of the 90 days x case-mix cell. Outcomes of all measures with the case mix
-- of their contacts, added up: n observations, x the sum of their outcomes, x2 the sum of their squares.
with
outcomes as (
    {% set text = dbt.type_string() -%}
    {% set unknown = 'cast(null as ' ~ text ~ ')' -%}
    {% for name, setting, topic_id, hour_band, n, x2 in [
        ('contacts', unknown, unknown, unknown, '1', 'x * x'),
        ('opinions', 'setting', 'topic_id', unknown, '1', 'x * x'),
        ('calls', 'queue_class', unknown, 'hour_band', 'n', 'x2'),
        ('tickets', 'setting', 'topic_id', unknown, '1', 'x * x'),
    ] -%}
        select
            measure,
            contact_id,
            operator_id,
            branch_id,
            {{ setting }} as setting,
            {{ topic_id }} as topic_id,
            {{ hour_band }} as hour_band,
            {{ n }} as n,
            x,
            {{ x2 }} as x2,
            business_day
        from {{ ref('int_outcomes_of_' ~ name) }}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- An interview may be about a contact of a month before.
contacts as (
    select * from {{ ref('int_contact_case_mix') }}
    where {{ in_last_days('business_day', 135) }}
),

outages as (
    select distinct
        branch_id,
        business_day
    from {{ ref('fct_tickets') }}
    where outage_id is not null and {{ in_last_days('business_day', 90) }}
),

final as (
    select
        outcomes.measure,
        outcomes.operator_id,
        outcomes.branch_id,
        {{ segment_of('outcomes.business_day') }} as segment,
        {% set known = {
            'setting': 'outcomes.setting', 'topic_class': 'contacts.topic_class',
            'topic_id': 'coalesce(contacts.topic_id, outcomes.topic_id)',
            'is_repeat': repeat_band('contacts.is_repeat'),
            'channel': 'contacts.channel',
            'has_outage': outage_band('coalesce(contacts.has_outage, outages.branch_id is not null)'),
            'hour_band': 'coalesce(contacts.hour_band, outcomes.hour_band)', 'tenure_band': 'contacts.tenure_band',
        } -%}
        {% for dim in case_mix_dims() -%}
            coalesce({{ known[dim] }}, 'unknown') as {{ dim }},
        {% endfor -%}
        sum(outcomes.n) as n,
        sum(outcomes.x) as x,
        sum(outcomes.x2) as x2
    from outcomes
    left join contacts on outcomes.contact_id = contacts.contact_id
    left join outages on outcomes.branch_id = outages.branch_id and outcomes.business_day = outages.business_day
    group by {{ range(1, 13) | join(', ') }}
)

select * from final
