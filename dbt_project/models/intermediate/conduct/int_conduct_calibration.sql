-- Grain: one aspect. How often the list was wrong in simulated worlds.
select * from {{ ref('conduct_calibration') }}
