{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- Grain: branch x topic x class on the day x source x day. When topics change their class all of it is read, so that
-- the class of today is laid over every day without reading a contact again.
select
    branch_id,
    topic_id,
    topic_class,
    topic_source,
    owes_class,
    count(*) as contacts,
    {{ count_if('is_handled') }} as contacts_handled,
    business_day
from {{ ref('fct_contacts') }}
where {{ in_touched_days('business_day') }}
group by branch_id, topic_id, topic_class, topic_source, owes_class, business_day
