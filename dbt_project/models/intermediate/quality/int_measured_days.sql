{{ config(materialized='view') }}
-- Grain, id and day of everything that was counted.
with
measured as (
    {{ measured_days([
        'contacts', 'visits', 'ring_no_answers', 'operator_states', 'ratings', 'quality_line', 'surveys', 'evaluations',
        'tickets', 'ticket_events', 'repeats', 'connections']) }}
)

select
    grain,
    grain_id,
    business_day
from measured
