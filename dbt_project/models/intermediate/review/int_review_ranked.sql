{{ config(pre_hook="{{ hashed_joins() }}") }}
-- Grain: branch x week x section x item that the review shows, of the weeks the touched days reach: the figure with its
-- interval, the usual range, how surprising it is, and its place in the section. Of waits, topics that come back and
-- topics rated low only the five leaders are shown: with at least 20 observations, by the lower limit of the interval.
with
compared as (
    select
        *,
        cast(x / n as {{ dbt.type_float() }}) as value,
        case when z is not null then {{ two_sided_p('z') }} end as p_value,
        case
            when kind = 'mean' and n > 1
                then
                    sqrt(cast(greatest((x2 - x * x / n) / (n - 1), 0) / n as {{ dbt.type_float() }}))
        end as mean_deviation
    from {{ ref('int_review_compared') }}
    where n > 0
),

tested as (
    select
        *,
        {{ ranked_p('p_value', 'branch_id, section, week_start') }},
        case
            when kind = 'rate' then {{ wilson_low('x', 'n') }}
            when kind = 'mean' then {{ rounded('greatest(value - ' ~ z_95() ~ ' * mean_deviation, 0)') }}
        end as value_low,
        case
            when kind = 'rate' then {{ wilson_high('x', 'n') }}
            when kind = 'mean' then {{ rounded('value + ' ~ z_95() ~ ' * mean_deviation') }}
        end as value_high
    from compared
    where kind <> 'count' or x > 0 or level > 0
),

corrected as (
    select
        *,
        {{ q_value('p_value', 'branch_id, section, week_start') }} as q_value,
        section in ('worst_waits', 'repeat_topics', 'low_ratings') as is_list
    from tested
),

placed as (
    select
        *,
        row_number() over (
            partition by branch_id, section, week_start
            order by
                case when is_list then n >= 20 end desc nulls last,
                case when is_list then value_low else abs(z) end desc nulls last,
                x desc,
                item
        ) as place
    from corrected
)

select
    *,
    {{ rounded('level') }} as expected,
    case when is_comparable then {{ rounded('greatest(level - ' ~ z_95() ~ ' * deviation * sqrt(variance), 0)') }} end
        as usual_low,
    case when is_comparable then {{ rounded("case
            when kind = 'rate' then least(level + " ~ z_95() ~ " * deviation * sqrt(variance), 1)
            else level + " ~ z_95() ~ " * deviation * sqrt(variance)
        end") }} end as usual_high,
    case
        when not is_complete then 'incomplete'
        when z is null then 'not_enough_data'
        when q_value > 0.05 then 'usual'
        when worse_is is null then case when z > 0 then 'more' else 'less' end
        when (worse_is = 'high') = (z > 0) then 'worse'
        else 'better'
    end as verdict
from placed
where not is_list or (n >= 20 and x > 0 and place <= 5)
