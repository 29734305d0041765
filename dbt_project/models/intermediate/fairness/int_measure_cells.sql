{{ config(pre_hook="{{ working_memory() }}") }}
-- Grain: grain (operator, branch) x measure x window x unit x case-mix cell. The pieces put together to the windows of
-- the scorecards, for the measures that the seed gives to the grain.
with
segments as (
    select * from {{ ref('int_measure_segments') }}
),

measures as (
    select * from {{ ref('int_scorecard_measures') }}
)

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
        from segments
        inner join measures
            on segments.measure = measures.measure and measures.grain = '{{ grain }}'
        where
            segments.{{ grain }}_id is not null
            and segments.segment in ({{ segments_of(window) | join(', ') }})
        group by {{ range(1, 14) | join(', ') }}
        {{ 'union all' if not (loop.last and grain == 'branch') }}
    {% endfor -%}
{% endfor %}
