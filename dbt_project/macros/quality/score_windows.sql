{#- The windows of the scorecards: [days, period], and the last day of each, so many days before the as-of day. -#}
{% macro score_windows() -%}
{{ return([
    {'days': 90, 'period': 0, 'days_ago': 0},
    {'days': 28, 'period': 0, 'days_ago': 0},
    {'days': 28, 'period': 1, 'days_ago': 28},
]) }}
{%- endmacro %}

{#- What contacts are compared within: not in the operator's hands, the most important first. -#}
{% macro case_mix_dims() -%}
{{ return(['setting', 'topic_class', 'topic_id', 'is_repeat', 'channel', 'has_outage', 'hour_band', 'tenure_band']) }}
{%- endmacro %}

{#- Pieces the windows are made of: 0 for the last 28 days, 1 for the 28 before, 2 for the rest of 90. -#}
{% macro segment_of(day) -%}
case
            when {{ in_last_days(day, 28) }} then 0
            when {{ in_last_days(day, 28, 28) }} then 1
            else 2
        end
{%- endmacro %}
{% macro segments_of(window) -%}
{{ return([0, 1, 2] if window.days == 90 else [window.period]) }}
{%- endmacro %}

{#- The cells of every grain and window from two CTEs: the segments, and the measures of each grain. -#}
{% macro windows_of_segments(segments, measures) -%}
{% for grain in ['operator', 'branch'] -%}
{% for window in score_windows() -%}
select
    measures.grain,
    measures.measure,
    {{ window.days }} as window_days,
    {{ window.period }} as period_no,
    segments.{{ grain }}_id as unit_id,
    {{ case_mix_dims() | join(', ') }},
    sum(segments.n) as n,
    sum(segments.x) as x,
    sum(segments.x2) as x2
from {{ segments }} as segments
inner join {{ measures }} as measures
    on segments.measure = measures.measure and measures.grain = '{{ grain }}'
where
    segments.{{ grain }}_id is not null
    and segments.segment in ({{ segments_of(window) | join(', ') }})
group by {{ range(1, 14) | join(', ') }}
{{ 'union all' if not (loop.last and grain == 'branch') }}
{% endfor -%}
{% endfor %}
{%- endmacro %}
