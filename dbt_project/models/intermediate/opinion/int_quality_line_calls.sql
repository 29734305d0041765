{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        unlogged=false,
        indexes=[{'columns': ['business_day']}],
        pre_hook="{{ hashed_joins() }}"
    )
}}
-- Grain: one call and operator: a call that could have been rated (its last operator answered and talked), a call whose
-- subscriber was asked to rate, or both. It counts on the day of the contact and for the operator who talked last, who
-- is the one that is rated; a rating that names another operator, or finds no call, stands in a row of its own.
with
contacts as (
    select * from {{ ref('fct_contacts') }}
    where contact_kind = 'call' and outcome = 'answered' and {{ in_touched_days('business_day') }}
),

-- A call that began before midnight can be answered after it.
answers as (
    select
        *,
        row_number() over (partition by contact_id order by visit_order desc) as place
    from {{ ref('fct_queue_visits') }}
    where outcome = 'answered' and {{ near_touched_days('business_day', 1, 2) }}
),

eligible as (
    select
        contacts.contact_id,
        answers.operator_id,
        contacts.branch_id,
        contacts.topic_id,
        contacts.topic_class,
        answers.queue,
        {{ talk_band('answers.talk_seconds') }} as talk_band,
        {{ wait_band('contacts.wait_seconds') }} as wait_band,
        coalesce(answers.hung_up_by, case when answers.transfer_kind is not null then 'transfer' end, 'unknown')
            as ended_by,
        contacts.business_day
    from contacts
    inner join answers on contacts.contact_id = answers.contact_id and answers.place = 1
    where answers.talk_seconds > 0
),

ratings as (
    select * from {{ ref('fct_ratings') }} where {{ in_touched_days('business_day') }}
),

rated as (
    {{ rated_calls('ratings') }}
)

select
    coalesce(eligible.contact_id, rated.call_key) as call_key,
    coalesce(eligible.contact_id, rated.contact_id) as contact_id,
    coalesce(eligible.operator_id, rated.operator_id) as operator_id,
    coalesce(eligible.branch_id, rated.branch_id) as branch_id,
    coalesce(eligible.topic_id, rated.topic_id) as topic_id,
    eligible.topic_class,
    eligible.queue,
    coalesce(eligible.talk_band, 'unknown') as talk_band,
    coalesce(eligible.wait_band, 'unknown') as wait_band,
    eligible.ended_by,
    eligible.contact_id is not null as is_eligible,
    rated.call_key is not null as is_asked,
    coalesce(rated.criteria_answered, 0) as criteria_answered,
    coalesce(rated.points_sum, 0) as points_sum,
    {% for criterion in rating_criteria().split() -%}
        coalesce(rated.{{ criterion }}_answered, 0) as {{ criterion }}_answered,
        coalesce(rated.{{ criterion }}_sum, 0) as {{ criterion }}_sum,
    {% endfor -%}
    coalesce(eligible.business_day, rated.business_day) as business_day
from eligible
full outer join rated
    on
        eligible.contact_id = rated.call_key
        and coalesce(eligible.operator_id, '') = coalesce(rated.operator_id, '')
