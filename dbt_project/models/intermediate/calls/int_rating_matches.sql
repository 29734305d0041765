-- Every rating row around the touched days with the contact, visit and operator it is about: by call id, else by
-- caller, operator and the nearest end of a talk before it.
with
ratings as (
    select
        ratings.*,
        nullif(ratings.callid, '') as known_callid,
        agents.operator_id as rated_operator_id
    from {{ ref('stg_ivr__ratings') }} as ratings
    left join {{ ref('int_agent_days') }} as agents
        on
            ratings.server_id = agents.server_id
            and ratings.agent = agents.agent
            and {{ local_date('ratings.rated_at', default_zone()) }} = agents.day
    where {{ touched_range('ratings.rated_at', 1, 2) }}
),

visits as (
    select * from {{ ref('int_placed_visits') }}
    where outcome = 'answered'
),

called as (
    select
        ratings.server_id,
        ratings.file_id,
        ratings.line_no,
        calls.contact_id
    from ratings
    inner join {{ ref('int_call_links') }} as links
        on ratings.server_id = links.server_id and ratings.known_callid = links.call_id
    inner join {{ ref('int_calls') }} as calls
        on links.server_id = calls.server_id and links.root_id = calls.root_id
),

called_visits as (
    select
        ratings.server_id,
        ratings.file_id,
        ratings.line_no,
        called.contact_id,
        visits.queue_visit_id,
        'call_id' as match_kind,
        row_number() over (
            partition by ratings.server_id, ratings.file_id, ratings.line_no
            order by
                coalesce(visits.operator_id = ratings.rated_operator_id, false) desc,
                coalesce(visits.answered_at <= ratings.rated_at, false) desc,
                visits.answered_at desc nulls last,
                visits.queue_visit_id desc
        ) as match_rank
    from ratings
    inner join called
        on
            ratings.server_id = called.server_id
            and ratings.file_id = called.file_id
            and ratings.line_no = called.line_no
    left join visits on called.contact_id = visits.contact_id
),

uncalled as (
    select
        ratings.*,
        {{ add_seconds('ratings.rated_at', '-60 * ' ~ var('rating_match_minutes')) }} as ended_from,
        {{ add_seconds('ratings.rated_at', 5) }} as ended_until
    from ratings
    left join called
        on
            ratings.server_id = called.server_id
            and ratings.file_id = called.file_id
            and ratings.line_no = called.line_no
    where called.contact_id is null
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
),

matched as (
    select * from called_visits where match_rank = 1
    union all
    select * from near_visits where match_rank = 1
)

select
    ratings.server_id,
    ratings.file_id,
    ratings.line_no,
    ratings.known_callid as callid,
    ratings.caller_hash,
    ratings.agent,
    ratings.rated_at,
    coalesce(nullif(ratings.criterion, ''), 'unmapped') as criterion,
    coalesce(ratings.digit, '') as digit,
    case
        when trim(ratings.digit) in ('1', '2', '3', '4', '5') then cast(trim(ratings.digit) as bigint)
    end as rating,
    case
        when trim(ratings.digit) in ('1', '2', '3', '4', '5') then 'rated'
        when coalesce(trim(ratings.digit), '') = '' then 'timed_out'
        else 'invalid'
    end as answer_kind,
    matched.contact_id,
    coalesce(matched.match_kind, 'unmatched') as match_kind,
    coalesce(visits.operator_id, ratings.rated_operator_id) as operator_id,
    coalesce(visits.queue, nullif(ratings.queue, '')) as queue
from ratings
left join matched
    on
        ratings.server_id = matched.server_id
        and ratings.file_id = matched.file_id
        and ratings.line_no = matched.line_no
left join visits on matched.queue_visit_id = visits.queue_visit_id
