{{ config(indexes=[{'columns': ['clock']}]) }}
-- Grain: clock x order, fault or complaint around the touched days as a span of time: until the service works or the
-- cause is gone, watched for 92 days at most. What ended before it began has no length and is left out.
with
timed as (
    select
        *,
        {{ seconds_between('started_at', 'finished_at') }} as seconds_to_finish,
        {{ seconds_between('started_at', data_until()) }} as seconds_so_far
    from {{ ref('int_clock_items') }}
)

select
    clock,
    item_id,
    subscriber_id,
    branch_id,
    coalesce(technology, 'unknown') as technology,
    cast({{ dbt.date_trunc('month', 'business_day') }} as date) as month_start,
    business_day,
    started_at,
    finished_at,
    is_excluded or coalesce(seconds_to_finish < 0, false) as is_excluded,
    is_judged,
    is_within_target,
    coalesce(seconds_to_finish <= {{ followed_days() }} * 86400, false) as is_finished,
    cast(greatest(
        least(coalesce(seconds_to_finish, seconds_so_far), {{ followed_days() }} * 86400), 0
    ) as decimal(20, 6)) as seconds,
    finished_at is null as is_open_now,
    finished_at is null or finished_at >= {{ local_instant(
        'cast(' ~ dbt.dateadd('month', 1, dbt.date_trunc('month', 'business_day')) ~ ' as date)', default_zone()
    ) }} as is_open_at_month_end
from timed
