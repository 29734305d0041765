-- Every rating row around the touched days, one row each, with the contact, visit and operator it is about: by call
-- id, else by caller, operator and the nearest end of a talk before it.
with
ratings as (
    select * from {{ ref('int_ratings') }}
),

visits as (
    select * from {{ ref('int_placed_visits') }}
    where outcome = 'answered'
),

uncalled as (
    select
        *,
        {{ add_seconds('rated_at', '-60 * ' ~ var('rating_match_minutes')) }} as ended_from,
        {{ add_seconds('rated_at', 5) }} as ended_until
    from ratings
    where contact_id is null
),

-- Both clocks are cut to seconds: the rating may seem to begin a moment before the talk ended. A withheld number is
-- found by the operator alone, among calls whose number is withheld too.
near as (
    {% for caller in ['ratings.caller_hash = visits.contact_caller_hash',
        'ratings.caller_hash is null and visits.contact_caller_hash is null and ratings.rated_operator_id is not null'] %}
        select
            ratings.server_id,
            ratings.file_id,
            ratings.line_no,
            ratings.rated_at,
            visits.contact_id,
            visits.queue_visit_id,
            visits.talk_ended_at
        from uncalled as ratings
        inner join visits
            on
                {{ caller }}
                and ratings.server_id = visits.server_id
                and ratings.ended_from <= visits.talk_ended_at
                and ratings.ended_until >= visits.talk_ended_at
                and (ratings.rated_operator_id is null or ratings.rated_operator_id = visits.operator_id)
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

near_visits as (
    select
        server_id,
        file_id,
        line_no,
        contact_id,
        queue_visit_id,
        'caller_operator_time' as match_kind,
        row_number() over (
            partition by server_id, file_id, line_no
            order by abs({{ seconds_between('talk_ended_at', 'rated_at') }}), talk_ended_at desc, queue_visit_id
        ) as match_rank
    from near
)

select
    ratings.server_id,
    ratings.file_id,
    ratings.line_no,
    ratings.callid,
    ratings.caller_hash,
    ratings.agent,
    ratings.rated_at,
    ratings.criterion,
    ratings.digit,
    ratings.rating,
    ratings.answer_kind,
    coalesce(ratings.contact_id, near_visits.contact_id) as contact_id,
    coalesce(ratings.match_kind, near_visits.match_kind, 'unmatched') as match_kind,
    coalesce(visits.operator_id, ratings.rated_operator_id) as operator_id,
    coalesce(visits.queue, ratings.rated_queue) as queue
from ratings
left join near_visits
    on
        ratings.server_id = near_visits.server_id
        and ratings.file_id = near_visits.file_id
        and ratings.line_no = near_visits.line_no
        and near_visits.match_rank = 1
left join visits on coalesce(ratings.queue_visit_id, near_visits.queue_visit_id) = visits.queue_visit_id
