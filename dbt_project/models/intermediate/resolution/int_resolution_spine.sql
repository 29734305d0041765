{{ config(materialized='view') }}
-- Who or what resolution is measured for, with what was loaded: the rows of the three spines, and the classes of the
-- topics on the day.
{{ resolution_spine() }}
