{{ config(materialized='table') }}
select
    subscriber_id,
    phone_hash,
    branch_id,
    technology,
    tariff,
    connected_on,
    left_on
from {{ ref('stg_crm__subscribers') }}
