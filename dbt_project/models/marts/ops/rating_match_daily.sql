{{ config(materialized='incremental', incremental_strategy='replace_days') }}
with
ratings as (
    select * from {{ ref('fct_ratings') }} where {{ in_touched_days('business_day') }}
)

select
    server_id,
    {{ count_if("match_kind = 'call_id'") }} as matched_by_call_id,
    {{ count_if("match_kind = 'caller_operator_time'") }} as matched_by_caller,
    {{ count_if("match_kind = 'unmatched'") }} as unmatched,
    {{ ratio(count_if("match_kind <> 'unmatched'"), 'count(*)') }} as match_share,
    business_day
from ratings
group by server_id, business_day
