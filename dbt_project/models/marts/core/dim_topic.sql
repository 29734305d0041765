{{ config(materialized='table') }}
-- placeholder
select
    cast(null as text) as topic_key,
    cast(null as text) as topic_id,
    cast(null as text) as topic_name,
    cast(null as text) as topic_class,
    cast(null as boolean) as is_bucket,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to,
    cast(null as boolean) as is_current
where false
