{{ config(materialized='table') }}
with
topics as (
    select * from {{ ref('int_topics') }}
)

select
    topic_id || '|' || valid_from as topic_key,
    topic_id,
    topic_name,
    topic_class,
    topic_class_now,
    is_bucket,
    valid_from,
    valid_to,
    {{ is_current('topics') }} as is_current
from topics
