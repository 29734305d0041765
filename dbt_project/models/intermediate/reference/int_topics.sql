-- Topics by period of their class, and the buckets for contacts whose topic nobody noted. topic_class_now: the class
-- that holds on the as-of day, the same in every version of a topic.
with
topics as (
    select
        topic_id,
        coalesce(topic_name, topic_id) as topic_name,
        topic_class,
        false as is_bucket,
        valid_from,
        valid_to
    from {{ ref('stg_crm__topics') }}
),

buckets as (
    {% for topic_class in ['marketing', 'technical', 'client_service'] %}
        select
            'unspecified_{{ topic_class }}' as topic_id,
            'No topic known, queue of class {{ topic_class }}' as topic_name,
            '{{ topic_class }}' as topic_class,
            true as is_bucket,
            cast('1900-01-01' as date) as valid_from,
            cast(null as date) as valid_to
        union all
    {% endfor %}
    select
        'unmapped' as topic_id,
        'Not noted, or unknown to the CRM' as topic_name,
        cast(null as {{ dbt.type_string() }}) as topic_class,
        true as is_bucket,
        cast('1900-01-01' as date) as valid_from,
        cast(null as date) as valid_to
),

versions as (
    select * from topics
    union all
    select buckets.*
    from buckets
    where not exists (select 1 from topics where topics.topic_id = buckets.topic_id)
),

held as (
    select
        versions.*,
        {{ holds_columns('topic_id', 'valid_from') }}
    from versions
)

select
    held.*,
    max(case when {{ holds_on('held', as_of_day()) }} then topic_class end) over (partition by topic_id)
        as topic_class_now
from held
