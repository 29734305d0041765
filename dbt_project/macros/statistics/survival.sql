{#-
CTE at_risk of a relation of items that are watched for unlike times: keys, `time`, ended (how many had the event then),
leaving (how many were watched until then, with the event or without) and at_risk (how many were watched so long).
`is_event`: a column that is true where the item's time ended by the event.
-#}
{% macro at_risk_ctes(items, keys, time, is_event) -%}
{%- set by = keys | join(', ') -%}
times as (
    select
        {{ by }},
        {{ time }},
        {{ count_if(is_event) }} as ended,
        count(*) as leaving
    from {{ items }}
    group by {{ by }}, {{ time }}
),

at_risk as (
    select
        *,
        sum(leaving) over (
            partition by {{ by }}
            order by {{ time }} desc
            rows between unbounded preceding and current row
        ) as at_risk
    from times
)
{%- endmacro %}

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
{{ at_risk_ctes(items, keys, 'seconds', 'is_finished') }},

surviving as (
    select
        *,
        sum(leaving) over (partition by {{ by }}) as items,
        exp(sum(case
            when ended = at_risk then -100.0
            else ln(1.0 - cast(ended as {{ dbt.type_float() }}) / at_risk)
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
CTEs that estimate, for each group `keys`, which share has had the event by a day, when some are followed shorter than
others (censored). entries: a CTE with the keys, followed_days (at least 1) and is_event. The last CTE is `survival`:
keys, followed_days (each day on which a follow-up ended), at_risk, ended, survived (Kaplan and Meier 1958),
greenwood (the sum of d / (n * (n - d)); null from the day on which all at risk had the event).
Decimals in the sums, so that the order of adding does not show.
-#}
{% macro survival_ctes(entries, keys) -%}
{%- set by = keys | join(', ') -%}
{{ at_risk_ctes(entries, keys, 'followed_days', 'is_event') }},

hazards as (
    select
        *,
        case when ended < at_risk then cast(ln(1.0 - cast(ended as {{ dbt.type_float() }}) / at_risk) as numeric(28, 15)) end
            as log_step,
        case
            when ended < at_risk
                then cast(cast(ended as {{ dbt.type_float() }}) / at_risk / (at_risk - ended) as numeric(28, 15))
        end as greenwood_step
    from at_risk
),

survival as (
    select
        {{ by }},
        followed_days,
        at_risk,
        ended,
        case
            when count(*) over until_day = count(log_step) over until_day
                then exp(cast(sum(log_step) over until_day as {{ dbt.type_float() }}))
            else 0
        end as survived,
        case
            when count(*) over until_day = count(log_step) over until_day
                then cast(sum(greenwood_step) over until_day as {{ dbt.type_float() }})
        end as greenwood
    from hazards
    window
        until_day as (
            partition by {{ by }}
            order by followed_days
            rows between unbounded preceding and current row
        )
)
{%- endmacro %}

{#-
95 % limit of the share that had the event, from survived and greenwood, by the log-minus-log transformation
(Kalbfleisch and Prentice 1980): it stays within 0 and 1. Null before the first event. sign: '-' the lower limit.
-#}
{% macro survival_limit(survived, greenwood, sign) -%}
case
        when {{ survived }} > 0 and {{ survived }} < 1 and {{ greenwood }} > 0
            then 1.0 - exp(ln({{ survived }}) * exp({{ '' if sign == '+' else '-' }}{{ z_95() }} * sqrt({{ greenwood }}) / abs(ln({{ survived }}))))
    end
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
