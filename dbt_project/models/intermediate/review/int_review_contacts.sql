-- Grain: branch ('*': all) x week x section x item, near the touched days: volumes; by topic, contacts of
-- people who had been served in the 7 days before, and low ratings.
with
contacts as (
    {{ by_branch_and_all(
        '(select * from ' ~ ref('fct_contacts') ~ ' where ' ~ near_touched_days('business_day', 111, 133) ~ ') as facts',
        "coalesce(topic_class, 'unmapped') as topic_class,\n    topic_id"
    ) }}
),

repeats as (
    {{ by_branch_and_all(
        '(select * from ' ~ ref('int_contact_case_mix') ~ ' where ' ~ near_touched_days('business_day', 111, 133)
            ~ ') as facts',
        'topic_id,\n    is_repeat'
    ) }}
),

rated_calls as (
    select
        branch_id,
        coalesce(topic_id, 'unmapped') as topic_id,
        min(rating) <= 2 as is_low,
        business_day
    from {{ ref('fct_ratings') }}
    where {{ near_touched_days('business_day', 111, 133) }} and contact_id is not null and answer_kind = 'rated'
    group by branch_id, coalesce(topic_id, 'unmapped'), contact_id, business_day
),

ratings as (
    {{ by_branch_and_all('rated_calls', 'topic_id,\n    is_low') }}
)

{{ review_measure('contacts', 'volume', "'all'", 'count', none, '1', 'count(*)') }}
union all
{{ review_measure('contacts', 'volume_class', 'topic_class', 'count', none, '1', 'count(*)') }}
union all
{{ review_measure('contacts', 'volume_topic', 'topic_id', 'count', none, '1', 'count(*)') }}
union all
{{ review_measure('repeats', 'repeat_topics', 'topic_id', 'rate', 'high', 'count(*)', count_if('is_repeat')) }}
union all
{{ review_measure('ratings', 'low_ratings', 'topic_id', 'rate', 'high', 'count(*)', count_if('is_low')) }}
