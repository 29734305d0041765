{{ config(indexes=[{'columns': ['phone_hash']}, {'columns': ['subscriber_id']}]) }}
-- Subscribers as they were when: each version holds from its change until the next, the first also before.
with
versions as (
    select
        *,
        row_number() over (partition by subscriber_id order by updated_at nulls first, load_id, row_no) as version_no
    from {{ ref('stg_crm__subscriber_versions') }}
)

select
    subscriber_id,
    phone_hash,
    branch_id,
    technology,
    tariff,
    connected_on,
    left_on,
    case when version_no > 1 then updated_at end as holds_from,
    lead(updated_at) over (partition by subscriber_id order by version_no) as holds_to
from versions
