{#-
The days of this build, as literals: a cast on the column or a subquery for the bound would cost many times as much
once history is long.
-#}
{% macro is_full_rebuild() -%}
{{ return(of_build('full_rebuild', false) or flags.FULL_REFRESH) }}
{%- endmacro %}

{#-
What one build has to do: a variable of that name when there is one, else the build's entry in the environment.
It is not passed as a variable because dbt parses the whole project again whenever those change.
-#}
{% macro of_build(name, default) -%}
{%- if var(name, none) is not none -%}
{{ return(var(name)) }}
{%- elif execute -%}
{%- set told = fromjson(env_var('QUALITY_BUILD', '{}')).get(name) -%}
{{ return(default if told is none else told) }}
{%- endif -%}
{{ return(default) }}
{%- endmacro %}

{#-
The days that the model builds: those on which more changed than whether a contact was repeated later. A model that
repeats come into, or that holds the days of one, says `meta.reach.of: touched_days` and builds those of repeats too;
strategy, data tests, gate 2 and publication read the same. of: what another model says, where its days are meant.
-#}
{% macro days_to_build(of=none) -%}
{%- set told = of or ((model.config.meta or {}).get('reach') or {}).get('of') or 'changed_days' -%}
{{ return(of_build(told, of_build('touched_days', []))) }}
{%- endmacro %}

{#- Condition: the business day `column` is built again. -#}
{% macro in_touched_days(column, of=none) -%}
{%- if is_full_rebuild() -%}
{{ column }} is not null
{%- elif days_to_build(of) -%}
{{ column }} in ({% for day in days_to_build(of) | sort %}cast('{{ day }}' as date){{ ', ' if not loop.last }}{% endfor %})
{%- else -%}
{{ column }} is null and {{ column }} is not null
{%- endif -%}
{%- endmacro %}

{#- Condition: the date `column` lies at most so many days before or after a day that is built. -#}
{% macro near_touched_days(column, before_days, after_days) -%}
{{ in_runs(column, touched_runs(before_days, after_days)) }}
{%- endmacro %}

{#- Condition: the date `column` lies in one of the runs of days. -#}
{% macro in_runs(column, runs) -%}
{%- if is_full_rebuild() -%}
{{ column }} is not null
{%- else -%}
{%- set conditions = [] -%}
{%- for run in runs -%}
{%- do conditions.append(column ~ " between cast('" ~ run[0].isoformat() ~ "' as date) and cast('" ~ run[1].isoformat()
    ~ "' as date)") -%}
{%- endfor -%}
({{ conditions | join(' or ') or (column ~ ' is null and ' ~ column ~ ' is not null') }})
{%- endif -%}
{%- endmacro %}

{#-
Condition: the day is built again in a model whose rows of a day also read the `before` days after it and the `after`
days before it: a touched day changes those of so many days before and after itself. The model says the same in
`meta.reach`, which the strategy, gate 2 and publication read. repeats_alone there: days that only repeats touch change
themselves only.
-#}
{% macro in_reach(before, after, column='business_day', reach=none) -%}
{%- set told = reach or (model.config.meta or {}).get('reach') or {} -%}
{%- if told.repeats_alone -%}
{{ in_runs(column, runs_of(spans('changed_days', before, after) + spans('touched_days', 0, 0))) }}
{%- else -%}
{{ in_runs(column, touched_runs(before, after, told.of)) }}
{%- endif -%}
{%- endmacro %}

{#-
Condition: the day `column` is built again in a model that reads each day by what topics belong to today. It says
`meta.reach.all_when_reclassified`, which gate 2 and publication read.
-#}
{% macro in_reclassified_days(column, of=none) -%}
{%- if of_build('reclassified', false) -%}
{{ column }} is not null
{%- else -%}
{{ in_touched_days(column, of) }}
{%- endif -%}
{%- endmacro %}

{#- Name of the column that tells a row's day, by the model's `meta.reach`. -#}
{% macro day_column(reach) -%}
{{ return(reach.column or 'business_day') }}
{%- endmacro %}

{#- Condition: a row of a daily model is of a day that this build writes; by the model's `meta.reach`. -#}
{% macro written_days(reach) -%}
{%- set column, of = day_column(reach), reach.of or 'changed_days' -%}
{%- if reach.all_when_reclassified -%}
{{ in_reclassified_days(column, of) }}
{%- elif reach.before or reach.after -%}
{{ in_reach(reach.before or 0, reach.after or 0, column, reach) }}
{%- else -%}
{{ in_touched_days(column, of) }}
{%- endif -%}
{%- endmacro %}

{#-
Condition: the instant `column` lies in a touched day of any time zone (UTC-12 to UTC+14), widened by so many days.
Runs of days become one range each.
-#}
{% macro touched_range(column, before_days, after_days) -%}
{%- if is_full_rebuild() -%}
{{ column }} is not null
{%- else -%}
{%- set conditions = [] -%}
{%- for run in touched_runs(before_days, after_days) -%}
{%- set from_day = (run[0] - modules.datetime.timedelta(days=1)).isoformat() -%}
{%- set until_day = (run[1] + modules.datetime.timedelta(days=1)).isoformat() -%}
{%- do conditions.append("(" ~ column ~ " >= " ~ instant(from_day ~ 'T10:00:00+00:00') ~ " and " ~ column ~ " < "
    ~ instant(until_day ~ 'T12:00:00+00:00') ~ ")") -%}
{%- endfor -%}
({{ conditions | join(' or ') or (column ~ ' is null and ' ~ column ~ ' is not null') }})
{%- endif -%}
{%- endmacro %}

{#- Condition: the instant `column` is not before the first touched day; for what can follow a day at any distance. -#}
{% macro since_touched(column, before_days) -%}
{%- if is_full_rebuild() or not days_to_build() -%}
{{ column }} is not null
{%- else -%}
{%- set first = touched_runs(before_days, 0)[0][0] - modules.datetime.timedelta(days=1) -%}
{{ column }} >= {{ instant(first.isoformat() ~ 'T10:00:00+00:00') }}
{%- endif -%}
{%- endmacro %}

{#- [[first day, last day], ...]: the days that are built, widened, as runs that neither touch nor overlap. -#}
{% macro touched_runs(before_days, after_days, of=none) -%}
{{ return(runs_of(spans(of, before_days, after_days))) }}
{%- endmacro %}

{#- [[first day, last day], ...] around each of the days that are built. -#}
{% macro spans(of, before_days, after_days) -%}
{%- set found = [] -%}
{%- for text in days_to_build(of) -%}
{%- set day = modules.datetime.date.fromisoformat(text) -%}
{%- do found.append([
    day - modules.datetime.timedelta(days=before_days), day + modules.datetime.timedelta(days=after_days)
]) -%}
{%- endfor -%}
{{ return(found) }}
{%- endmacro %}

{#- The same days as runs, in order. -#}
{% macro runs_of(spans) -%}
{%- set runs = [] -%}
{%- for first, last in spans | sort -%}
{%- if runs and (first - runs[-1][1]).days <= 1 -%}
{%- set before = runs.pop() -%}
{%- do runs.append([before[0], [before[1], last] | max]) -%}
{%- else -%}
{%- do runs.append([first, last]) -%}
{%- endif -%}
{%- endfor -%}
{{ return(runs) }}
{%- endmacro %}

{#- A literal instant from ISO text with its offset. -#}
{% macro instant(text) -%}
cast('{{ text }}' as {{ type_instant() }})
{%- endmacro %}

{#- The instant up to which telephony is loaded; long ago when nothing is. -#}
{% macro data_until() -%}
{{ instant(of_build('data_until', '1970-01-01T00:00:00+00:00')) }}
{%- endmacro %}

{#- The last day that is loaded wholly, by the provider's clock, as a literal: rolling windows end on it. -#}
{% macro as_of_day(days_ago=0) -%}
{%- set day = modules.datetime.date.fromisoformat(of_build('as_of_day', '1970-01-01')) -%}
cast('{{ (day - modules.datetime.timedelta(days=days_ago)).isoformat() }}' as date)
{%- endmacro %}

{#- Condition: the date `column` is one of the `days` days that end so many days before the as-of day. -#}
{% macro in_last_days(column, days, days_ago=0) -%}
({{ column }} between {{ as_of_day(days_ago + days - 1) }} and {{ as_of_day(days_ago) }})
{%- endmacro %}
