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

{#- (window, period) of all whole periods of `retention_days`, each as long as its window; period 1 ends a window ago. -#}
{% macro retention_periods() -%}
{%- set periods = [] -%}
{%- for window in retention_windows() -%}
{%- for period in range(1, retention_days() // window + 1) -%}{%- do periods.append((window, period)) -%}{%- endfor -%}
{%- endfor -%}
{{ return(periods) }}
{%- endmacro %}

{#- The days that are read for them: the windows of the oldest contacts close within the last 90. -#}
{% macro retention_days_read() -%}{{ return(retention_days() + retention_windows() | max) }}{%- endmacro %}

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
