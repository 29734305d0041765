{{ config(pre_hook="{{ hashed_joins() }}") }}
-- Every rating row around the touched days, one row each: what was pressed, the operator it names, and the contact and
-- the answered visit that its call id leads to, if it does.
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
)

select
    ratings.server_id,
    ratings.file_id,
    ratings.line_no,
    ratings.known_callid as callid,
    ratings.caller_hash,
    ratings.agent,
    ratings.rated_operator_id,
    nullif(ratings.queue, '') as rated_queue,
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
    called_visits.contact_id,
    called_visits.queue_visit_id,
    called_visits.match_kind
from ratings
left join called_visits
    on
        ratings.server_id = called_visits.server_id
        and ratings.file_id = called_visits.file_id
        and ratings.line_no = called_visits.line_no
        and called_visits.match_rank = 1
