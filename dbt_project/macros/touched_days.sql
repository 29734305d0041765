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
{{ return(fromjson(env_var('QUALITY_BUILD', '{}')).get(name) or default) }}
{%- endif -%}
{{ return(default) }}
{%- endmacro %}

{#- Condition: the business day `column` is built again. -#}
{% macro in_touched_days(column) -%}
{%- if is_full_rebuild() -%}
{{ column }} is not null
{%- elif of_build('touched_days', []) -%}
{{ column }} in ({% for day in of_build('touched_days', []) | sort %}cast('{{ day }}' as date){{ ', ' if not loop.last }}{% endfor %})
{%- else -%}
{{ column }} is null and {{ column }} is not null
{%- endif -%}
{%- endmacro %}

{#-
Condition: the date `column` lies at most so many days before or after a touched day. of='changed_days': a touched day on
which more changed than repeats, for models that nothing of repeats comes into.
-#}
{% macro near_touched_days(column, before_days, after_days, of='touched_days') -%}
{%- if is_full_rebuild() -%}
{{ column }} is not null
{%- else -%}
{%- set conditions = [] -%}
{%- for run in touched_runs(before_days, after_days, of) -%}
{%- do conditions.append(column ~ " between cast('" ~ run[0].isoformat() ~ "' as date) and cast('" ~ run[1].isoformat()
    ~ "' as date)") -%}
{%- endfor -%}
({{ conditions | join(' or ') or (column ~ ' is null and ' ~ column ~ ' is not null') }})
{%- endif -%}
{%- endmacro %}

{#-
Condition: the day is built again in a model whose rows of a day also read the `before` days after it and the `after`
days before it: a touched day changes those of so many days before and after itself. The model says the same in
`meta.reach`, which the strategy, gate 2 and publication read.
-#}
{% macro in_reach(before, after, column='business_day', of='touched_days') -%}
{{ near_touched_days(column, before, after, of) }}
{%- endmacro %}

{#-
Condition: the day `column` is built again in a model that reads each day by what topics belong to today. It says
`meta.reach.all_when_reclassified`, which gate 2 and publication read.
-#}
{% macro in_reclassified_days(column) -%}
{%- if of_build('reclassified', false) -%}
{{ column }} is not null
{%- else -%}
{{ in_touched_days(column) }}
{%- endif -%}
{%- endmacro %}

{#- Name of the column that tells a row's day, by the model's `meta.reach`. -#}
{% macro day_column(reach) -%}
{{ return(reach.column or 'business_day') }}
{%- endmacro %}

{#- Condition: a row of a daily model is of a day that this build writes; by the model's `meta.reach`. -#}
{% macro written_days(reach) -%}
{%- set column = day_column(reach) -%}
{%- if reach.all_when_reclassified -%}
{{ in_reclassified_days(column) }}
{%- elif reach -%}
{{ in_reach(reach.before, reach.after, column, of=reach.of or 'touched_days') }}
{%- else -%}
{{ in_touched_days(column) }}
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
{%- if is_full_rebuild() or not of_build('touched_days', []) -%}
{{ column }} is not null
{%- else -%}
{%- set first = touched_runs(before_days, 0)[0][0] - modules.datetime.timedelta(days=1) -%}
{{ column }} >= {{ instant(first.isoformat() ~ 'T10:00:00+00:00') }}
{%- endif -%}
{%- endmacro %}

{#- [[first day, last day], ...]: the touched days, widened, as runs that neither touch nor overlap. -#}
{% macro touched_runs(before_days, after_days, of='touched_days') -%}
{%- set runs = [] -%}
{%- for text in of_build(of, of_build('touched_days', [])) | sort -%}
{%- set day = modules.datetime.date.fromisoformat(text) -%}
{%- set first = day - modules.datetime.timedelta(days=before_days) -%}
{%- set last = day + modules.datetime.timedelta(days=after_days) -%}
{%- if runs and (first - runs[-1][1]).days <= 1 -%}
{%- do runs.append([runs.pop()[0], last]) -%}
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
