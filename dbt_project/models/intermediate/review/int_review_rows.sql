-- Grain: branch ('*': all) x week x section x item: the rows of the review in one shape, of the weeks the touched days
-- reach.
{% set text, float = dbt.type_string(), dbt.type_float() %}
with
figures as (
    select
        branch_id,
        section,
        item,
        case when section in ('volume_topic', 'repeat_topics', 'low_ratings') then item end as topic_id,
        place,
        kind,
        value,
        cast(before_x / nullif(before_n, 0) as {{ float }}) as value_before,
        expected,
        value_low,
        value_high,
        usual_low,
        usual_high,
        cast(n as bigint) as n,
        cast(x as {{ float }}) as x,
        z,
        p_value,
        q_value,
        verdict,
        cast(null as {{ text }}) as note,
        week_start
    from {{ ref('int_review_ranked') }}
),

surges as (
    select
        branch_id,
        'surge' as section,
        surge_id as item,
        topic_id,
        place,
        'count' as kind,
        cast(contacts as {{ float }}) as value,
        cast(null as {{ float }}) as value_before,
        expected,
        cast(null as {{ float }}) as value_low,
        cast(null as {{ float }}) as value_high,
        cast(null as {{ float }}) as usual_low,
        cast(null as {{ float }}) as usual_high,
        surge_days as n,
        cast(contacts as {{ float }}) as x,
        cast(null as {{ float }}) as z,
        cast(null as {{ float }}) as p_value,
        q_value,
        case when is_known_outage then 'known_outage' when is_new then 'new_surge' else 'goes_on' end as verdict,
        'since ' || surge_start || coalesce(', most in ' || leading_branch_id, '') as note,
        week_start
    from {{ ref('int_review_surges') }}
),

said as (
    select
        branch_id,
        case when kind = 'word' then 'words' else 'comments' end as section,
        case when kind = 'word' then topic_id || '|' || term else topic_id end as item,
        nullif(topic_id, '*') as topic_id,
        rank as place,
        'count' as kind,
        cast(comments as {{ float }}) as value,
        cast(null as {{ float }}) as value_before,
        cast(comments_before as {{ float }}) / nullif(comments_all_before, 0) * comments_all as expected,
        cast(null as {{ float }}) as value_low,
        cast(null as {{ float }}) as value_high,
        cast(null as {{ float }}) as usual_low,
        cast(null as {{ float }}) as usual_high,
        comments_all as n,
        cast(comments as {{ float }}) as x,
        z,
        cast(null as {{ float }}) as p_value,
        cast(null as {{ float }}) as q_value,
        case when kind = 'word' then 'risen' else 'said' end as verdict,
        note,
        business_day as week_start
    from {{ ref('stg_calculated__review_words') }}
    where {{ in_reach(48, 127) }}
)

select * from figures
union all
select * from surges
union all
select * from said
