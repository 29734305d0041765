{{ config(pre_hook="{{ working_memory() }}") }}
-- Grain: grain (operator, branch) x measure x window x unit x case-mix cell. The pieces put together to the windows of
-- the scorecards, for the measures that the seed gives to the grain.
with
segments as (
    select * from {{ ref('int_measure_segments') }}
),

measures as (
    select * from {{ ref('int_scorecard_measures') }}
)

{{ windows_of_segments('segments', 'measures') }}
