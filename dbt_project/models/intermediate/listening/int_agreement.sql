-- Grain: one criterion, as it was computed.
select * from {{ ref('stg_calculated__agreement') }}
