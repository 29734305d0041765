{{
    config(
        materialized='incremental',
        incremental_strategy='replace_days',
        meta={'reach': {'before': 37, 'after': 120}, 'restates': false},
        pre_hook="{{ hashed_joins() }}"
    )
}}
with
heard as (
    select * from {{ ref('int_listening_heard') }}
    where {{ near_touched_days('business_day', 37, 151) }}
),

pool as (
    select * from {{ ref('int_listening_pool') }}
    where {{ near_touched_days('business_day', 37, 151) }}
),

{{ weighted_ctes('heard', 'pool') }},

{{ estimated_ctes({'branch': 'branch_id', 'topic': 'topic_id'}, ['month_start']) }},

monthly as (
    select
        estimated.level,
        estimated.unit_id,
        estimated.measure,
        {{ estimate_columns() }},
        estimated.month_start as business_day
    from estimated
)

select * from monthly
where {{ in_reach(37, 120) }}
