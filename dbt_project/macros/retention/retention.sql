{#-
What a subscriber can have experienced, for retention: (experience, expression of its band over the columns of
int_retention_contacts). The ones with two parts are combined cells; they are published where at least 30 subscribers
are in them.
-#}
{% macro retention_experiences() -%}
{{ return([
    ('any', "'any_contact'"),
    ('wait', 'wait_band'),
    ('solved', 'solved_band'),
    ('rating', 'rating_band'),
    ('repeat', 'repeat_band'),
    ('repair', 'repair_band'),
    ('repair_target', 'repair_target_band'),
    ('wait_and_solved', "wait_band || ', ' || solved_band"),
    ('repeat_and_solved', "repeat_band || ', ' || solved_band"),
    ('solved_and_rating', "solved_band || ', ' || rating_band"),
]) }}
{%- endmacro %}

{#- The days within which it is counted who left; and of how many days of contacts with a closed window each share is. -#}
{% macro retention_windows() -%}{{ return([30, 60, 90]) }}{%- endmacro %}
{% macro retention_days() -%}{{ return(180) }}{%- endmacro %}

{#- One row for each window, column window_days; use as a subquery. -#}
{% macro retention_window_rows() -%}
{% for days in retention_windows() -%}
select {{ days }} as window_days{{ ' union all ' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#-
How long someone was a customer on a day, as a band: comparisons are made among equals. `connected_on` null: not known,
or the line does not work yet.
-#}
{% macro tenure_band(connected_on, day) -%}
case
        when {{ connected_on }} is null or {{ connected_on }} > {{ day }} then 'unknown'
        when {{ dbt.datediff(connected_on, day, 'day') }} < 90 then 'under_90_days'
        when {{ dbt.datediff(connected_on, day, 'day') }} < 730 then '90_days_to_2_years'
        else 'over_2_years'
    end
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
ended_by_day as (
    select
        {{ by }},
        followed_days,
        count(*) filter (where is_event) as ended,
        count(*) as left_observation
    from {{ entries }}
    group by {{ by }}, followed_days
),

at_risk as (
    select
        *,
        sum(left_observation) over (
            partition by {{ by }}
            order by followed_days desc
            rows between unbounded preceding and current row
        ) as at_risk
    from ended_by_day
),

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
Risk ratio of two groups over strata, for each group `keys`: columns matched, matched_events, others, other_events,
other_share (of the others, as if they stood in the strata as the first group does), log_ratio, log_ratio_deviation.
strata: a relation with the keys and, by stratum, n1, x1 (first group and its events), n0, x0 (the others). Strata in
which one group has nobody tell nothing.
Sources: Mantel and Haenszel 1959; variance of the logarithm: Greenland and Robins 1985.
-#}
{% macro risk_ratio(strata, keys) -%}
select
        {{ keys | join(', ') }},
        sum(n1) as matched,
        sum(x1) as matched_events,
        sum(n0) as others,
        sum(x0) as other_events,
        sum(n1 * x0 / n0) / sum(n1) as other_share,
        case
            when sum(x1) > 0 and sum(x0) > 0
                then ln(cast(sum(x1 * n0 / (n1 + n0)) / sum(x0 * n1 / (n1 + n0)) as {{ dbt.type_float() }}))
        end as log_ratio,
        case
            when sum(x1) > 0 and sum(x0) > 0
                then
                    sqrt(cast(
                        sum((n1 * n0 * (x1 + x0) - x1 * x0 * (n1 + n0)) / ((n1 + n0) * (n1 + n0)))
                        / (sum(x1 * n0 / (n1 + n0)) * sum(x0 * n1 / (n1 + n0))) as {{ dbt.type_float() }}
                    ))
        end as log_ratio_deviation
    from {{ strata }}
    where n1 > 0 and n0 > 0
    group by {{ keys | join(', ') }}
{%- endmacro %}
