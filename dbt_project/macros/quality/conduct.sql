{#-
What is looked at for each aspect of conduct. kind and worse_is: as judged_ctes takes them; least_n: fewer
observations in a period are not judged; heard: seen by listeners, so that two of them must have noticed it;
scale: 'log' is published as its exponential; unit: of the published figure.
-#}
{% macro conduct_signals() -%}
{{ return([
    {'signal': 'low_politeness', 'aspect': 'rudeness', 'kind': 'rate', 'worse_is': 'high', 'least_n': 20, 'heard': false,
        'scale': 'plain', 'unit': 'share of politeness ratings that are 1 or 2'},
    {'signal': 'politeness_mean', 'aspect': 'rudeness', 'kind': 'mean', 'worse_is': 'low', 'least_n': 20, 'heard': false,
        'scale': 'plain', 'unit': 'mean politeness rating, 1 to 5'},
    {'signal': 'rude_tone', 'aspect': 'rudeness', 'kind': 'rate', 'worse_is': 'high', 'least_n': 8, 'heard': true,
        'scale': 'plain', 'unit': 'share of heard calls with a rude tone'},
    {'signal': 'unfriendly_tone', 'aspect': 'rudeness', 'kind': 'rate', 'worse_is': 'high', 'least_n': 8, 'heard': true,
        'scale': 'plain', 'unit': 'share of heard calls with a cold or rude tone'},
    {'signal': 'courtesy_error', 'aspect': 'rudeness', 'kind': 'rate', 'worse_is': 'high', 'least_n': 8, 'heard': true,
        'scale': 'plain', 'unit': 'share of heard calls with a fatal courtesy error'},
    {'signal': 'conduct_complaint', 'aspect': 'rudeness', 'kind': 'rate', 'worse_is': 'high', 'least_n': 50,
        'heard': false, 'scale': 'plain', 'unit': 'share of answered calls complained about'},
    {'signal': 'handle_time', 'aspect': 'slowness', 'kind': 'mean', 'worse_is': 'high', 'least_n': 30, 'heard': false,
        'scale': 'log', 'unit': 'typical (geometric mean) seconds of talk'},
    {'signal': 'ring_no_answer', 'aspect': 'slowness', 'kind': 'rate', 'worse_is': 'high', 'least_n': 50, 'heard': false,
        'scale': 'plain', 'unit': 'share of rings not answered'},
    {'signal': 'late_reply', 'aspect': 'slowness', 'kind': 'rate', 'worse_is': 'high', 'least_n': 20, 'heard': false,
        'scale': 'plain', 'unit': 'share of tickets with a late first reply'},
    {'signal': 'idle_while_waiting', 'aspect': 'slowness', 'kind': 'mean', 'worse_is': 'high', 'least_n': 30,
        'heard': false, 'scale': 'plain', 'unit': 'seconds after a call, free while somebody waited'},
]) }}
{%- endmacro %}

{#- conduct_signals() as rows. -#}
{% macro conduct_signal_rows() -%}
{% for one in conduct_signals() -%}
select
    '{{ one.signal }}' as signal,
    '{{ one.aspect }}' as aspect,
    '{{ one.kind }}' as kind,
    '{{ one.worse_is }}' as worse_is,
    cast({{ one.least_n }} as bigint) as least_n,
    {{ one.heard }} as is_heard,
    '{{ one.scale }}' as scale,
    '{{ one.unit }}' as unit
{{ 'union all' if not loop.last }}
{% endfor -%}
{%- endmacro %}

{#- Days of one period, and the number of the period a day lies in: 0 ends on the as-of day, 1 before it. -#}
{% macro conduct_days() -%}28{%- endmacro %}
{% macro in_conduct_periods(column) -%}{{ in_last_days(column, 2 * 28) }}{%- endmacro %}
{% macro conduct_period(column) -%}
case when {{ column }} > {{ as_of_day(28) }} then 0 else 1 end
{%- endmacro %}

{#- A figure of a signal as it is published: means of logarithms as their exponential. -#}
{% macro published(figure) -%}
case
        when scale = 'log' then {{ rounded('exp(cast(' ~ figure ~ ' as ' ~ dbt.type_float() ~ '))', 6) }}
        else {{ rounded(figure) }}
    end
{%- endmacro %}

{#- A list of phrases that each end in '; ', without the last separator. -#}
{% macro without_last(text) -%}regexp_replace({{ text }}, '; $', ''){%- endmacro %}

{#-
Columns of one observation of a signal: item_id names it, n and x count (x of n; x2 the sum of squares), value is what
people are shown, dims what it is compared within.
-#}
{% macro observation(signal, item_id, x, dims, x2=none, n='1', value='null', contact_id='contact_id',
    operator_id='operator_id', listener_id='null', day='business_day') -%}
'{{ signal }}' as signal,
    {{ operator_id }} as operator_id,
    {{ item_id }} as item_id,
    cast({{ contact_id }} as {{ dbt.type_string() }}) as contact_id,
    cast({{ listener_id }} as {{ dbt.type_string() }}) as listener_id,
    cast({{ n }} as numeric(28, 6)) as n,
    cast({{ x }} as numeric(28, 6)) as x,
    cast({{ x2 if x2 is not none else x }} as numeric(28, 6)) as x2,
    cast({{ value }} as numeric(28, 6)) as value,
    {% for place in range(4) -%}
    {{ "coalesce(" ~ dims[place] ~ ", 'unknown')" if place < dims | length else "''" }} as dim_{{ place + 1 }},
    {% endfor -%}
    {{ day }} as business_day
{%- endmacro %}

{#- The figures of the leading signal in one period, from the joined `alias`, with the period's name behind. -#}
{% macro conduct_figures(alias, name) -%}
{%- for column in ['n', 'observed', 'observed_low', 'observed_high', 'expected', 'worse_limit', 'q_value'] -%}
{{ alias }}.{{ column }} as {{ column }}_{{ name }}{{ ',\n    ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}

{#- Condition: the expression is one of the configured values, or none are configured. -#}
{% macro any_or_one_of(expression, values) -%}
{{ is_one_of(expression, values) if values else 'true' }}
{%- endmacro %}
