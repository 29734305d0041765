{{ config(materialized='incremental', incremental_strategy='replace_days') }}
{% set text, float = dbt.type_string(), dbt.type_float() %}
with
topics as (
    select * from {{ ref('int_topics') }}
),

weeks as (
    select * from {{ ref('int_review_weeks') }} where {{ in_reach(6, 127, 'week_start') }}
),

figures as (
    select
        branch_id, section, item, case when section in ('volume_topic', 'repeat_topics', 'low_ratings') then item end
            as topic_id,
        place, kind, value, before_x / nullif(before_n, 0) as value_before, expected, value_low, value_high, usual_low,
        usual_high, n, x, z, p_value, q_value, verdict, cast(null as {{ text }}) as note, week_start
    from {{ ref('int_review_ranked') }}
),

surges as (
    select
        branch_id, 'surge' as section, surge_id as item, topic_id,
        place, 'count' as kind, contacts as value, null as value_before, expected, null as value_low, null as value_high,
        null as usual_low, null as usual_high, surge_days as n, contacts as x, null as z, null as p_value, q_value,
        case when is_known_outage then 'known_outage' when is_new then 'new_surge' else 'goes_on' end as verdict,
        'since ' || surge_start || coalesce(', most in ' || leading_branch_id, '') as note, week_start
    from {{ ref('int_review_surges') }}
),

said as (
    select
        branch_id, case when kind = 'word' then 'words' else 'comments' end as section,
        case when kind = 'word' then topic_id || '|' || term else topic_id end as item, nullif(topic_id, '*') as topic_id,
        rank as place, 'count' as kind, comments as value, null as value_before,
        cast(comments_before as {{ float }}) / nullif(comments_all_before, 0) * comments_all as expected,
        null as value_low, null as value_high, null as usual_low, null as usual_high, comments_all as n, comments as x,
        z, null as p_value, null as q_value, case when kind = 'word' then 'risen' else 'said' end as verdict, note,
        business_day as week_start
    from {{ ref('stg_calculated__review_words') }}
    where {{ in_reach(6, 127) }}
),

together as (
    {% for part in ['figures', 'surges', 'said'] -%}
    select
        branch_id, section, item, topic_id, place, kind, cast(value as {{ float }}) as value,
        cast(value_before as {{ float }}) as value_before, cast(expected as {{ float }}) as expected,
        {% for name in ['value_low', 'value_high', 'usual_low', 'usual_high', 'z', 'p_value', 'q_value'] -%}
        cast({{ name }} as {{ float }}) as {{ name }},
        {% endfor -%}
        cast(n as bigint) as n, cast(x as {{ float }}) as x, verdict, note, week_start
    from {{ part }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    together.branch_id,
    {{ iso_week('together.week_start') }} as iso_week,
    together.section,
    together.place,
    together.item,
    together.topic_id,
    coalesce(topics.topic_name, together.item) as title,
    together.kind,
    {{ rounded('together.value') }} as value,
    {{ rounded('together.value_before') }} as value_before,
    {{ rounded("case
        when together.verdict = 'incomplete' then null
        when together.kind = 'count' then together.value / nullif(together.value_before, 0) - 1
        else together.value - together.value_before
    end") }} as change,
    together.value_low,
    together.value_high,
    {{ rounded('together.expected') }} as expected,
    together.usual_low,
    together.usual_high,
    together.n as observations,
    together.x as events,
    {{ rounded('together.z') }} as surprise,
    {{ rounded('together.p_value') }} as p_value,
    {{ rounded('together.q_value') }} as q_value,
    together.verdict,
    together.note,
    coalesce(weeks.days_loaded, 0) as days_loaded,
    coalesce(weeks.is_complete, false) as is_complete,
    together.week_start as business_day
from together
left join weeks on together.branch_id = weeks.branch_id and together.week_start = weeks.week_start
left join topics on together.topic_id = topics.topic_id and {{ holds_on('topics', 'together.week_start') }}
where {{ in_reach(6, 127, 'together.week_start') }}
