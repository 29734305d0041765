{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'of': 'touched_days'}}
) }}
-- Every day that is due in some branch x topics mapped on it, and every topic and day with something to count.
with
coverage as (
    select * from {{ ref('int_domain_coverage') }} where {{ in_touched_days('business_day') }}
),

-- A topic's contacts come from all branches: its day is loaded when theirs are.
days as (
    select
        business_day,
        bool_or(is_due) as is_due,
        {{ coverage_of_all() }}
    from coverage
    where branch_id <> '*'
    group by business_day
),

topics as (
    select * from {{ ref('dim_topic') }}
),

wanted as (
    select
        topics.topic_id,
        days.business_day
    from topics
    inner join days on {{ is_valid_on('topics', 'days.business_day') }}
    where days.is_due
    union
    select
        grain_id,
        business_day
    from {{ ref('int_measured_days') }}
    where grain = 'topic' and {{ in_touched_days('business_day') }}
),

placed as (
    select
        wanted.topic_id,
        wanted.business_day,
        topics.topic_class,
        {{ place_on_day('wanted.topic_id', 'topics', 'topic_key') }} as place
    from wanted
    left join topics on wanted.topic_id = topics.topic_id
)

select
    placed.topic_id,
    placed.topic_class,
    {{ coverage_of('days', 'provider') }},
    placed.business_day
from placed
left join days on placed.business_day = days.business_day
left join coverage as provider
    on provider.branch_id = '*' and placed.business_day = provider.business_day
where placed.place = 1
