{{ config(materialized='view') }}
-- What Python found, as marts may read it.
select * from {{ ref('stg_calculated__surges') }}
