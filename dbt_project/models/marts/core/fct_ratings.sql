{{ config(materialized='incremental', incremental_strategy='replace_days', pre_hook="{{ hashed_joins() }}") }}
-- A key press can be repeated by a retry or corrected later: of one contact and criterion the latest answer counts;
-- a time-out or an invalid key counts only where no answer was given. Raw keeps all.
with
ratings as (
    select
        *,
        {{ seconds_between('lag(rated_at) over session_order', 'rated_at') }} as seconds_before
    from {{ ref('int_rating_matches') }}
    window session_order as (
        partition by server_id, contact_id, callid, caller_hash, agent, criterion
        order by rated_at, file_id, line_no
    )
),

-- What belongs to no known contact is told apart by pauses.
sessions as (
    select
        *,
        case
            when contact_id is null
                then sum(case when seconds_before <= 60 * {{ var('rating_match_minutes') }} then 0 else 1 end) over (
                    partition by server_id, contact_id, callid, caller_hash, agent, criterion
                    order by rated_at, file_id, line_no
                    rows between unbounded preceding and current row
                )
        end as session_no
    from ratings
),

ranked as (
    select
        *,
        row_number() over (
            partition by
                contact_id,
                criterion,
                session_no,
                case when contact_id is null then server_id end,
                case when contact_id is null then callid end,
                case when contact_id is null then caller_hash end,
                case when contact_id is null then agent end
            order by rating is null, rated_at desc, file_id desc, line_no desc
        ) as answer_rank
    from sessions
),

placed as (
    select
        ranked.*,
        contacts.business_day as contact_day,
        coalesce(contacts.branch_id, operator_branches.branch_id, {{ default_branch() }}) as placed_branch_id
    from ranked
    left join {{ ref('int_call_contacts') }} as contacts on ranked.contact_id = contacts.contact_id
    left join {{ ref('int_operator_branches') }} as operator_branches
        on
            ranked.operator_id = operator_branches.operator_id
            and {{ holds_on('operator_branches', local_date('ranked.rated_at', default_zone())) }}
    where ranked.answer_rank = 1
),

dated as (
    select
        placed.*,
        coalesce(placed.contact_day, {{ local_date('placed.rated_at', zone_of('branches')) }}) as business_day
    from placed
    left join {{ ref('int_branches') }} as branches
        on
            placed.placed_branch_id = branches.branch_id
            and {{ holds_on('branches', local_date('placed.rated_at', default_zone())) }}
)

select
    dated.server_id || '|' || dated.file_id || '|' || dated.line_no as rating_id,
    dated.contact_id,
    dated.match_kind,
    dated.server_id,
    dated.callid,
    dated.operator_id,
    dated.placed_branch_id as branch_id,
    topics.topic_id,
    topics.topic_class,
    dated.queue,
    dated.criterion,
    dated.rated_at,
    dated.digit,
    dated.rating,
    dated.answer_kind,
    dated.business_day
from dated
left join {{ ref('int_contact_topics') }} as topics on dated.contact_id = topics.contact_id
where {{ in_touched_days('dated.business_day') }}
