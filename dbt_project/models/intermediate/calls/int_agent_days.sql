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

matched as (
    select
        named.*,
        aliases.operator_id as crm_operator_id,
        row_number() over (
            partition by named.server_id, named.agent, named.day
            order by
                aliases.operator_id is null,
                case when aliases.alias = named.agent_name then 0 else 1 end,
                case when aliases.server_id = '*' then 1 else 0 end,
                aliases.valid_from desc nulls last,
                aliases.operator_id
        ) as alias_rank
    from named
    left join {{ ref('stg_crm__operator_aliases') }} as aliases
        on
            aliases.alias in (named.agent_name, named.agent)
            and aliases.server_id in (named.server_id, '*')
            and (aliases.valid_from is null or named.day >= aliases.valid_from)
            and (aliases.valid_to is null or named.day < aliases.valid_to)
)

select
    server_id,
    agent,
    day,
    coalesce(set_operator_id, crm_operator_id, agent_name) as operator_id
from matched
where alias_rank = 1
