{{ config(materialized='view') }}
-- grain, id and day of everything that was counted.
{% for domain in ['contacts', 'visits', 'ring_no_answers', 'operator_states', 'ratings', 'surveys', 'evaluations',
                  'tickets', 'ticket_events', 'repeats', 'connections'] %}
select grain, grain_id, business_day
from {{ ref('int_' ~ domain ~ '_daily') }}
{{ 'union' if not loop.last }}
{%- endfor %}
