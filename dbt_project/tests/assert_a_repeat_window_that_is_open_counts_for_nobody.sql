-- Why: a contact from yesterday cannot have been repeated within 30 days yet; counted as solved it flatters everybody.
select
    operator_id,
    business_day,
    repeat_30d_index,
    repeat_30d_repeats
from {{ ref('operator_quality_daily') }}
where
    {{ in_touched_days('business_day') }}
    and {{ local_instant(add_days('business_day', 29), text_literal('UTC')) }} > {{ data_until() }}
    and repeat_30d_index > 0
