{{ config(materialized='view') }}
-- Grain: grain (operator, branch) x measure. What operators and branches are compared by.
select
    grain,
    measure,
    label,
    unit,
    kind,
    scale,
    worse_is,
    weight,
    step,
    least_n
from {{ ref('scorecard_measures') }}
