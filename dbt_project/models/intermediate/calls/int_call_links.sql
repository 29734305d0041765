{{ config(indexes=[{'columns': ['server_id', 'call_id']}]) }}
-- Every call id of the touched days and the oldest call it hangs together with: legs share a linkedid, and a record
-- written before two calls were bridged keeps the old one, so links are followed three times over.
with
aged_0 as (
    select
        server_id,
        call_id,
        group_id,
        {{ call_age('group_id') }} as age
    from {{ ref('int_call_groups') }}
),

{% for round in range(1, 4) %}
    grouped_{{ round }} as (
        select
            server_id,
            call_id,
            group_id,
            min(age) over (partition by server_id, group_id) as age
        from aged_{{ round - 1 }}
    ),

    aged_{{ round }} as (
        select
            server_id,
            call_id,
            group_id,
            min(age) over (partition by server_id, call_id) as age
        from grouped_{{ round }}
    ),

{% endfor %}
rooted as (
    select distinct
        server_id,
        call_id,
        age
    from aged_3
)

select
    server_id,
    call_id,
    {{ call_of_age('age') }} as root_id
from rooted
