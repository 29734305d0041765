{{ config(indexes=[{'columns': ['server_id', 'agent', 'day']}]) }}
-- Who is behind a name the PBX or the IVR logs, by day: the configuration's aliases first, then the CRM's; an unknown
-- name stands for itself.
with
seen as (
    select
        server_id,
        agent,
        {{ local_date('event_at', default_zone()) }} as day
    from {{ ref('int_queue_events') }}
    where agent is not null
    union
    select
        server_id,
        agent,
        {{ local_date('rated_at', default_zone()) }} as day
    from {{ ref('stg_ivr__ratings') }}
    where nullif(agent, '') is not null and {{ touched_range('rated_at', 1, 3) }}
),

settings as (
    select * from {{ ref('stg_ops__setting_aliases') }}
),

named as (
    select
        seen.*,
        coalesce(own.agent_name, anywhere.agent_name, seen.agent) as agent_name,
        coalesce(own.operator_id, anywhere.operator_id) as set_operator_id
    from seen
    left join settings as own on seen.server_id = own.server_id and seen.agent = own.alias
    left join settings as anywhere on anywhere.server_id = '*' and seen.agent = anywhere.alias
),

-- As the configuration calls the name, or as it was logged; each by itself, so that names meet by a hash.
tried as (
    select
        *,
        agent_name as alias
    from named
    union
    select
        *,
        agent as alias
    from named
),

matched as (
    select
        tried.*,
        aliases.operator_id as crm_operator_id,
        row_number() over (
            partition by tried.server_id, tried.agent, tried.day
            order by
                aliases.operator_id is null,
                case when tried.alias = tried.agent_name then 0 else 1 end,
                case when aliases.server_id = '*' then 1 else 0 end,
                aliases.valid_from desc nulls last,
                aliases.operator_id
        ) as alias_rank
    from tried
    left join {{ ref('stg_crm__operator_aliases') }} as aliases
        on
            tried.alias = aliases.alias
            and aliases.server_id in (tried.server_id, '*')
            and (aliases.valid_from is null or tried.day >= aliases.valid_from)
            and (aliases.valid_to is null or tried.day < aliases.valid_to)
)

select
    server_id,
    agent,
    day,
    coalesce(set_operator_id, crm_operator_id, agent_name) as operator_id
from matched
where alias_rank = 1
