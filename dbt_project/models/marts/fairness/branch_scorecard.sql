{{ config(materialized='table') }}
with
{{ scorecard_ctes('branch') }}

select
    scorecard.unit_id as branch_id,
    {{ scorecard_columns() }}
from scorecard
