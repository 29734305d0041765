{#- Instants, local days and durations. Everything that is not the same on all engines stands here, by dispatch. -#}

{% macro type_instant() -%}{{ return(adapter.dispatch('type_instant')()) }}{%- endmacro %}
{% macro default__type_instant() -%}timestamp with time zone{%- endmacro %}
{% macro spark__type_instant() -%}timestamp{%- endmacro %}

{#- The local date of the instant `at` in time zone `zone` (an expression). -#}
{% macro local_date(at, zone) -%}{{ return(adapter.dispatch('local_date')(at, zone)) }}{%- endmacro %}
{% macro default__local_date(at, zone) -%}cast({{ at }} at time zone {{ zone }} as date){%- endmacro %}
{% macro spark__local_date(at, zone) -%}cast(from_utc_timestamp({{ at }}, {{ zone }}) as date){%- endmacro %}

{#- The local hour, 0 to 23, of the instant `at` in time zone `zone` (an expression). -#}
{% macro local_hour(at, zone) -%}{{ return(adapter.dispatch('local_hour')(at, zone)) }}{%- endmacro %}
{% macro default__local_hour(at, zone) -%}cast(extract(hour from {{ at }} at time zone {{ zone }}) as integer){%- endmacro %}
{% macro spark__local_hour(at, zone) -%}hour(from_utc_timestamp({{ at }}, {{ zone }})){%- endmacro %}

{#- The instant at which local `day` begins in `zone`, so many minutes later if given. -#}
{% macro local_instant(day, zone, minutes=0) -%}
{{ return(adapter.dispatch('local_instant')(day, zone, minutes)) }}
{%- endmacro %}
{% macro default__local_instant(day, zone, minutes) -%}
((cast({{ day }} as timestamp) + {{ minutes }} * interval '1 minute') at time zone {{ zone }})
{%- endmacro %}
{% macro spark__local_instant(day, zone, minutes) -%}
to_utc_timestamp(cast({{ day }} as timestamp) + {{ minutes }} * interval '1 minute', {{ zone }})
{%- endmacro %}

{#- Seconds of the instant since 1970, with fractions. -#}
{% macro epoch_seconds(at) -%}{{ return(adapter.dispatch('epoch_seconds')(at)) }}{%- endmacro %}
{% macro default__epoch_seconds(at) -%}extract(epoch from {{ at }}){%- endmacro %}
{#- Decimal, not the double of extract(): differences of microseconds stay exact. -#}
{% macro duckdb__epoch_seconds(at) -%}(epoch_us({{ at }}) * cast(0.000001 as decimal(7, 6))){%- endmacro %}
{% macro spark__epoch_seconds(at) -%}(unix_micros({{ at }}) / cast(1000000 as decimal(20, 6))){%- endmacro %}

{#- Seconds elapsed between two instants, with fractions. -#}
{% macro seconds_between(start_at, end_at) -%}
({{ epoch_seconds(end_at) }} - {{ epoch_seconds(start_at) }})
{%- endmacro %}

{#- The instant so many seconds later (an expression, may be negative). -#}
{% macro add_seconds(at, seconds) -%}{{ return(adapter.dispatch('add_seconds')(at, seconds)) }}{%- endmacro %}
{% macro default__add_seconds(at, seconds) -%}({{ at }} + ({{ seconds }}) * interval '1 second'){%- endmacro %}
{% macro spark__add_seconds(at, seconds) -%}({{ at }} + make_dt_interval(0, 0, 0, {{ seconds }})){%- endmacro %}

{#- The day so many days later. -#}
{% macro add_days(day, days) -%}{{ return(adapter.dispatch('add_days')(day, days)) }}{%- endmacro %}
{% macro default__add_days(day, days) -%}cast({{ day }} + {{ days }} * interval '1 day' as date){%- endmacro %}
{% macro spark__add_days(day, days) -%}date_add({{ day }}, {{ days }}){%- endmacro %}

{#- ISO weekday of a date: 1 is Monday. -#}
{% macro iso_weekday(day) -%}{{ return(adapter.dispatch('iso_weekday')(day)) }}{%- endmacro %}
{% macro default__iso_weekday(day) -%}cast(extract(isodow from {{ day }}) as integer){%- endmacro %}
{% macro spark__iso_weekday(day) -%}(weekday({{ day }}) + 1){%- endmacro %}

{#- One row per day from `first_day` to `last_day` (expressions), column date_day; use as a subquery. -#}
{% macro day_series(first_day, last_day) -%}{{ return(adapter.dispatch('day_series')(first_day, last_day)) }}{%- endmacro %}
{% macro default__day_series(first_day, last_day) -%}
select cast(day_at as date) as date_day
from generate_series(cast({{ first_day }} as timestamp), cast({{ last_day }} as timestamp), interval '1 day') as series (day_at)
{%- endmacro %}
{% macro spark__day_series(first_day, last_day) -%}
select explode(sequence({{ first_day }}, {{ last_day }}, interval 1 day)) as date_day
{%- endmacro %}

{#- Whole seconds elapsed between two instants, cut off, never negative. -#}
{% macro whole_seconds(start_at, end_at) -%}
cast(floor(greatest({{ seconds_between(start_at, end_at) }}, 0)) as bigint)
{%- endmacro %}

{#- ISO year and week of a date as text: 2026-W07. -#}
{% macro iso_week(day) -%}{{ return(adapter.dispatch('iso_week')(day)) }}{%- endmacro %}
{% macro default__iso_week(day) -%}to_char({{ day }}, 'IYYY-"W"IW'){%- endmacro %}
{% macro duckdb__iso_week(day) -%}strftime({{ day }}, '%G-W%V'){%- endmacro %}
{% macro spark__iso_week(day) -%}
concat(extract(yearofweek from {{ day }}), '-W', lpad(extract(week from {{ day }}), 2, '0'))
{%- endmacro %}

{#- Condition: the period [valid_from, valid_to) of `alias` holds the last loaded instant, in the provider's zone. -#}
{% macro is_current(alias) -%}
({{ alias }}.valid_from is null or {{ alias }}.valid_from <= {{ local_date(data_until(), default_zone()) }})
    and ({{ alias }}.valid_to is null or {{ alias }}.valid_to > {{ local_date(data_until(), default_zone()) }})
{%- endmacro %}
