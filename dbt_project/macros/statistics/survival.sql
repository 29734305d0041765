{#-
CTEs that give the time within which so many per cent were done, though some are not done yet. The last is `fastest`:
`keys`, fastest_<percent>: the shortest time by which at least that share was done; null beyond what was seen: the share
was not reached, or fewer than half of those that were not done by then had been watched for so long.
items: a relation with `keys`, seconds (until done, or so far), is_finished.
Method: Kaplan-Meier. What is not done yet counts as undone for as long as it was watched, and says nothing about
later. Where everything is done this is the nearest rank: the time of item number ceil(share * n).
Source: Kaplan and Meier 1958; the observation ends for reasons that have nothing to do with the item.
-#}
{% macro fastest_ctes(items, keys, percents=[50, 80, 95, 99]) -%}
{%- set by = keys | join(', ') -%}
steps as (
    select
        {{ by }},
        seconds,
        {{ count_if('is_finished') }} as finished,
        count(*) as leaving
    from {{ items }}
    group by {{ by }}, seconds
),

at_risk as (
    select
        *,
        sum(leaving) over (
            partition by {{ by }}
            order by seconds desc
            rows between unbounded preceding and current row
        ) as at_risk
    from steps
),

surviving as (
    select
        *,
        sum(leaving) over (partition by {{ by }}) as items,
        exp(sum(case
            when finished = at_risk then -100.0
            else ln(1.0 - cast(finished as {{ dbt.type_float() }}) / at_risk)
        end) over (
            partition by {{ by }}
            order by seconds asc
            rows between unbounded preceding and current row
        )) as survival
    from at_risk
),

watched as (
    select
        *,
        round(cast(survival as numeric(28, 12)), 9) as left_over,
        2 * at_risk >= round(cast(items * lag(survival, 1, cast(1.0 as {{ dbt.type_float() }})) over (
            partition by {{ by }}
            order by seconds asc
        ) as numeric(28, 12)), 6) as is_supported
    from surviving
),

fastest as (
    select
        {{ by }}
        {%- for percent in percents %},
        {%- set reached = 'left_over <= ' ~ (100 - percent) / 100 %}
        case
            when
                min(seconds) filter (where {{ reached }})
                = min(seconds) filter (where {{ reached }} and is_supported)
                then min(seconds) filter (where {{ reached }})
        end as fastest_{{ percent }}
        {%- endfor %}
    from watched
    group by {{ by }}
)
{%- endmacro %}

{#-
Interval (95 %) of a Poisson mean of which `x` events were seen, to about 1 % from two events on; for none the lower end is 0.
Source: Byar's approximation, Breslow and Day 1987, vol. II, p. 69.
-#}
{% macro poisson_low(x) -%}
case
        when {{ x }} > 0
            then {{ rounded(x ~ ' * power(1 - 1 / (9.0 * ' ~ x ~ ') - ' ~ z_95() ~ ' / (3 * sqrt(cast(' ~ x ~ ' as '
                ~ dbt.type_float() ~ '))), 3)') }}
        when {{ x }} = 0 then 0
    end
{%- endmacro %}
{% macro poisson_high(x) -%}
{{ rounded('(' ~ x ~ ' + 1) * power(1 - 1 / (9.0 * (' ~ x ~ ' + 1)) + ' ~ z_95() ~ ' / (3 * sqrt(cast(' ~ x
    ~ ' + 1 as ' ~ dbt.type_float() ~ '))), 3)') }}
{%- endmacro %}
