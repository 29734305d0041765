{{ config(
    materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}],
    meta={'reach': {'before': 0, 'after': 90}}, pre_hook="{{ hashed_joins() }}"
) }}
-- Grain: one stratum and month (business_day: its first day): the standard deviation of a score, in whole points, from
-- the calls of the 90 days before the month that were listened to before it began, so that nothing that comes later
-- moves the month's plan. Each level is shrunk to the one above it as if that were 20 evaluations of its own: all calls
-- ('*') to the configured default, class and band to all calls, an operator's part to class and band.
with
-- An evaluation stands on the day of its call.
pool as (
    select * from {{ ref('int_listening_pool') }} where {{ near_touched_days('business_day', 90, 90) }}
),

heard as (
    select
        pool.operator_id,
        pool.topic_class,
        pool.length_band,
        cast(evaluations.score as numeric(28, 12)) as score,
        {{ local_date('evaluations.evaluated_at', default_zone()) }} as evaluated_day,
        pool.month_start,
        evaluations.business_day
    from {{ ref('fct_evaluations') }} as evaluations
    inner join pool
        on evaluations.contact_id = pool.contact_id and evaluations.business_day = pool.business_day
    where evaluations.score is not null and {{ near_touched_days('evaluations.business_day', 90, 90) }}
),

-- A call lies in the 90 days before one of the four months that follow, or before none.
usable as (
    {% for months in [1, 2, 3, 4] %}
        {%- set month_day = 'cast(' ~ dbt.dateadd('month', months, 'month_start') ~ ' as date)' %}
        select
            *,
            {{ month_day }} as month_day
        from heard
        where evaluated_day < {{ month_day }} and business_day >= {{ add_days(month_day, -90) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

whole as (
    select
        '*' as operator_id,
        '*' as topic_class,
        '*' as length_band,
        {{ shrunk_variance('score', var('listening_default_sd') ~ ' * ' ~ var('listening_default_sd')) }} as variance,
        month_day
    from usable
    group by month_day
),

kinds as (
    select
        '*' as operator_id,
        usable.topic_class,
        usable.length_band,
        {{ shrunk_variance('usable.score', 'min(whole.variance)') }} as variance,
        usable.month_day
    from usable
    inner join whole on usable.month_day = whole.month_day
    group by usable.month_day, usable.topic_class, usable.length_band
),

operators as (
    select
        usable.operator_id,
        usable.topic_class,
        usable.length_band,
        {{ shrunk_variance('usable.score', 'min(kinds.variance)') }} as variance,
        usable.month_day
    from usable
    inner join kinds
        on
            usable.month_day = kinds.month_day
            and usable.topic_class = kinds.topic_class
            and usable.length_band = kinds.length_band
    group by usable.month_day, usable.operator_id, usable.topic_class, usable.length_band
)

{% for level in ['whole', 'kinds', 'operators'] -%}
    select
        operator_id,
        topic_class,
        length_band,
        cast(greatest(round(sqrt(variance)), 1) as bigint) as sd,
        month_day as business_day
    from {{ level }}
    where {{ in_reach(0, 90, 'month_day') }}
    {{ 'union all' if not loop.last }}
{% endfor %}
