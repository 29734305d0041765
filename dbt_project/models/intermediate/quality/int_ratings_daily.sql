{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
with
ratings as (
    select
        *,
        coalesce(contact_id, server_id || '|' || callid, rating_id) as call_key
    from {{ ref('fct_ratings') }}
    where {{ in_touched_days('business_day') }}
),

calls as (
    select
        call_key,
        contact_id,
        operator_id,
        branch_id,
        topic_id,
        business_day,
        count(*) filter (where answer_kind = 'rated') as criteria_answered,
        {{ rating_answers() }}
    from ratings
    group by call_key, contact_id, operator_id, branch_id, topic_id, business_day
)

{{ by_grain('calls', rating_measures()) }}
