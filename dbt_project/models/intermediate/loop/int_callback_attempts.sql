{{ config(pre_hook="{{ days_by_bitmaps(or_whole=true) }}") }}
-- Grain: one attempt for one owed call-back. A response belongs to every matter it is about: the connection, the
-- ticket's last solution and its missed target, the rated call; of several solutions of one ticket to the last before
-- the attempt. A response that names none of these belongs to the call that its subscriber was owed last, of those
-- its survey asks about. The attempt is begun before the call expires, the response dated at most 42 days later: an
-- interview may be finished in another sitting.
with
responses as (
    select * from {{ ref('fct_survey_responses') }} where {{ near_touched_days('business_day', 42, 42) }}
),

owed as (
    select * from {{ ref('int_owed_callbacks') }} where {{ near_touched_days('business_day', 42, 42) }}
),

named as (
    {% for matter, key, of_matter in [
        ('connection', 'connection_id', "owed.reason = 'new_connection'"),
        ('solution', 'ticket_id', is_about_a_solution('owed.reason')),
        ('target', 'ticket_id', "owed.reason = 'past_target'"),
        ('rating', 'contact_id', "owed.reason = 'low_rating'"),
    ] -%}
        select
            responses.survey_response_id,
            owed.callback_id,
            '{{ matter }}' as matter
        from responses
        inner join owed on responses.{{ key }} = owed.{{ key }} and {{ of_matter }}
        union all
    {% endfor -%}
    select
        responses.survey_response_id,
        owed.callback_id,
        'subscriber' as matter
    from responses
    inner join owed
        on
            responses.subscriber_id = owed.subscriber_id
            and case responses.survey_kind
                when 'connection' then owed.key_moment = 'connection'
                when 'repair' then owed.ticket_id is not null and owed.reason <> 'low_rating'
                else owed.key_moment = 'service'
            end
    where
        responses.connection_id is null
        and responses.ticket_id is null
        and responses.contact_id is null
),

ranked as (
    select
        responses.*,
        named.callback_id,
        named.matter,
        row_number() over (
            partition by named.survey_response_id, named.matter
            order by owed.owed_at desc, named.callback_id
        ) as place
    from named
    inner join responses on named.survey_response_id = responses.survey_response_id
    inner join owed on named.callback_id = owed.callback_id
    where
        responses.attempted_at >= owed.owed_at
        and responses.attempted_at < owed.expires_at
        and responses.business_day between owed.business_day and {{ add_days('owed.business_day', 42) }}
)

select
    callback_id,
    survey_response_id,
    matter,
    attempted_at,
    attempt_outcome,
    attempt_outcome = 'reached' as is_reached,
    case when is_complete then is_solved end as is_solved,
    case when is_complete then satisfaction end as satisfaction
from ranked
where place = 1
