{#-
Condition: an operator is due for a floor call. On the first `floor` times `every` days on which he works in a month he
is due on one of every `every`, whichever a hash says.
worked: a relation with operator_id, month_start, days_before (days of the month on which he worked before).
-#}
{% macro is_floor_day(worked, seed, floor, every) -%}
{%- set slot = worked ~ '.days_before / cast(' ~ every ~ ' as numeric(9, 3))' -%}
floor({{ slot }}) < {{ floor }}
        and mod({{ worked }}.days_before, {{ every }}) = floor({{ every }} * {{ hash_uniform(
            seed ~ " || '|slot|' || " ~ worked ~ ".operator_id || '|' || " ~ worked ~ ".month_start || '|' || "
            ~ whole_number_text(slot)
        ) }})
{%- endmacro %}

{#-
CTEs that draw calls to listen to, each group of `by` (a day) by itself. The last one is called `drawn`: all calls,
with is_drawn and the probability pi that they had.
calls: a CTE with `by`, contact_id, operator_id, stratum (text), sd (whole points: the usual deviation of a score in the
stratum), is_due (the operator must be heard on this day). seed: an expression. capacity: calls of a group at most.

Two draws that know nothing of each other:
  floor     one call of each operator who is due, all of his calls alike: f = 1 / his calls. Where more are due than the
            capacity holds, that many of them, all alike.
  rest      what is left of the capacity by Neyman: a stratum of N calls gets n* = k N sd of them, at most N. The whole
            part of n* is certain; which strata get one more for the fraction is a Pareto draw (Rosen 1997): the total
            is fixed, and the chances are the fractions to within about 1 % of themselves where dozens of strata
            compete, a tenth where four do. In the stratum calls are taken in the order of their hash: r = n* / N.
A call in either is listened to once: pi = 1 - (1 - f)(1 - r).
The order by a hash that stays with the call (a permanent random number, Ohlsson 1995) keeps the draw when a call is
added or moves to another stratum: what was drawn stays drawn, nearly always.
-#}
{% macro drawn_ctes(calls, by, seed, capacity) -%}
due_operators as (
    select
        {{ by }},
        operator_id,
        row_number() over (
            partition by {{ by }}
            order by {{ hash_uniform(seed ~ " || '|due|' || " ~ by ~ " || '|' || operator_id") }}, operator_id
        ) as due_rank,
        count(*) over (partition by {{ by }}) as operators_due
    from {{ calls }}
    where is_due
    group by {{ by }}, operator_id
),

floored as (
    select
        calls.*,
        coalesce(due_operators.due_rank <= {{ capacity }}, false) as has_floor,
        case
            when due_operators.operator_id is null then 0
            else
                cast(least(due_operators.operators_due, {{ capacity }}) as numeric(28, 12)) / due_operators.operators_due
                / count(*) over (partition by calls.{{ by }}, calls.operator_id)
        end as floor_pi,
        row_number() over (
            partition by calls.{{ by }}, calls.operator_id
            order by {{ hash_uniform(seed ~ " || '|floor|' || calls.contact_id") }}, calls.contact_id
        ) as floor_rank,
        row_number() over (
            partition by calls.{{ by }}, calls.stratum
            order by {{ hash_uniform(seed ~ " || '|rest|' || calls.contact_id") }}, calls.contact_id
        ) as stratum_rank
    from {{ calls }} as calls
    left join due_operators
        on calls.{{ by }} = due_operators.{{ by }} and calls.operator_id = due_operators.operator_id
),

taken as (
    select
        {{ by }},
        greatest({{ capacity }} - count(distinct operator_id) filter (where has_floor), 0) as rest
    from floored
    group by {{ by }}
),

strata as (
    select
        {{ by }},
        stratum,
        min(sd) as sd,
        count(*) as stratum_calls
    from floored
    group by {{ by }}, stratum
),

-- The strata of the largest deviation first: those that would get more than they have get all they have.
capped as (
    select
        strata.*,
        taken.rest,
        coalesce(sum(strata.stratum_calls) over before_it, 0) as calls_before,
        sum(strata.stratum_calls * strata.sd) over from_it_on as size_from_here,
        coalesce(
            (taken.rest - coalesce(sum(strata.stratum_calls) over before_it, 0)) * strata.sd
            >= sum(strata.stratum_calls * strata.sd) over from_it_on,
            false
        ) as is_whole
    from strata
    inner join taken on strata.{{ by }} = taken.{{ by }}
    window
        before_it as (
            partition by strata.{{ by }}
            order by strata.sd desc, strata.stratum rows between unbounded preceding and 1 preceding
        ),
        from_it_on as (
            partition by strata.{{ by }}
            order by strata.sd desc, strata.stratum rows between current row and unbounded following
        )
),

allocated as (
    select
        *,
        case
            when is_whole then cast(stratum_calls as numeric(28, 9))
            else
                round(
                    cast(rest - sum(case when is_whole then stratum_calls else 0 end) over same as numeric(28, 12))
                    * stratum_calls * sd
                    / sum(case when is_whole then 0 else stratum_calls * sd end) over same,
                    9
                )
        end as expected
    from capped
    window same as (partition by {{ by }})
),

fractions as (
    select
        *,
        expected - floor(expected) as fraction,
        round(sum(expected) over same) - sum(floor(expected)) over same as fractions_drawn,
        {{ hash_uniform(seed ~ " || '|stratum|' || " ~ by ~ " || '|' || stratum") }} as luck
    from allocated
    window same as (partition by {{ by }})
),

ordered as (
    select
        *,
        row_number() over (
            partition by {{ by }}
            order by
                case when fraction > 0 then luck / (1 - luck) * (1 - cast(fraction as {{ dbt.type_float() }})) / fraction end
                nulls last,
                stratum
        ) as fraction_rank
    from fractions
),

sized as (
    select
        *,
        cast(floor(expected) as bigint)
        + case when fraction > 0 and fraction_rank <= fractions_drawn then 1 else 0 end as stratum_drawn
    from ordered
),

drawn as (
    select
        floored.*,
        sized.stratum_calls,
        sized.expected as stratum_expected,
        sized.stratum_drawn,
        sized.expected / sized.stratum_calls as rest_pi,
        floored.has_floor and floored.floor_rank = 1 as is_floor,
        floored.stratum_rank <= sized.stratum_drawn as is_rest,
        (floored.has_floor and floored.floor_rank = 1) or floored.stratum_rank <= sized.stratum_drawn as is_drawn,
        1 - (1 - floored.floor_pi) * (1 - sized.expected / sized.stratum_calls) as pi
    from floored
    inner join sized on floored.{{ by }} = sized.{{ by }} and floored.stratum = sized.stratum
)
{%- endmacro %}
