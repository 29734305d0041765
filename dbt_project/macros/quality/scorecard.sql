{#-
The scorecard of a grain (operator, branch): a row for each unit seen in a window and each measure that anybody has in
it, and one for the index.
-#}
{% macro scorecard_ctes(grain) -%}
judged as (
    select * from {{ ref('int_measure_judged') }} where grain = '{{ grain }}'
),

indexes as (
    select * from {{ ref('int_measure_index') }} where grain = '{{ grain }}'
),

measures as (
    select * from {{ ref('int_scorecard_measures') }} where grain = '{{ grain }}'
),

-- Who is seen in a window has a row for every measure: what is not there looks as if nothing were wrong.
wanted as (
    select
        seen.unit_id,
        measured.measure,
        seen.window_days,
        seen.period_no
    from (select distinct unit_id, window_days, period_no from judged) as seen
    inner join (select distinct measure, window_days, period_no from judged) as measured
        on seen.window_days = measured.window_days and seen.period_no = measured.period_no
),

of_measures as (
    select
        wanted.unit_id,
        wanted.measure,
        wanted.window_days,
        wanted.period_no,
        measures.label,
        measures.unit,
        measures.kind,
        measures.worse_is,
        coalesce(judged.x, 0) as numerator,
        coalesce(judged.n, 0) as denominator,
        {% for name in ['rate', 'pooled_rate', 'wilson_low', 'wilson_high', 'eb_rate', 'reliability_raw', 'expected',
            'share_at_full_detail', 'observed_to_expected', 'adjusted_rate', 'eb_adjusted_rate', 'eb_low', 'eb_high',
            'eb_weight', 'reliability', 'between_deviation', 'funnel_low_95', 'funnel_high_95', 'funnel_low_998',
            'funnel_high_998', 'dispersion', 'z', 'funnel_position', 'p_value', 'q_value', 'units', 'place',
            'place_raw'] -%}
        judged.{{ name }},
        {% endfor -%}
        {{ rounded("case when measures.scale = 'log' then exp(judged.eb_adjusted_rate) else judged.eb_adjusted_rate end") }}
            as natural_value,
        coalesce(judged.verdict, 'not_enough_data') as verdict,
        case when judged.is_known then {{ rounded('measures.weight / indexes.weight_known') }} end as index_weight,
        case
            when judged.is_known
                then {{ rounded("-10 * judged.direction * (judged.eb_adjusted_rate - judged.pooled_rate)"
                                " * measures.weight / measures.step / indexes.weight_known") }}
        end as index_part,
        cast(null as integer) as measures_known
    from wanted
    inner join measures on wanted.measure = measures.measure
    left join judged
        on
            wanted.unit_id = judged.unit_id
            and wanted.measure = judged.measure
            and wanted.window_days = judged.window_days
            and wanted.period_no = judged.period_no
    left join indexes
        on
            wanted.unit_id = indexes.unit_id
            and wanted.window_days = indexes.window_days
            and wanted.period_no = indexes.period_no
),

of_indexes as (
    select
        seen.unit_id,
        'index' as measure,
        seen.window_days,
        seen.period_no,
        'Composite index' as label,
        'points, 100 is usual' as unit,
        'index' as kind,
        'low' as worse_is,
        {% set float -%} cast(null as {{ dbt.type_float() }}) {%- endset -%}
        {% for name, expression in {
            'numerator': float, 'denominator': float, 'rate': 'indexes.index_raw',
            'pooled_rate': 'case when indexes.unit_id is not null then cast(100 as ' ~ dbt.type_float() ~ ') end',
            'wilson_low': float, 'wilson_high': float, 'eb_rate': float, 'reliability_raw': float, 'expected': float,
            'share_at_full_detail': float, 'observed_to_expected': float, 'adjusted_rate': 'indexes.index_adjusted',
            'eb_adjusted_rate': 'indexes.index_points', 'eb_low': 'indexes.index_low',
            'eb_high': 'indexes.index_high', 'eb_weight': float, 'reliability': 'indexes.reliability', 'between_deviation': float,
            'funnel_low_95': float, 'funnel_high_95': float, 'funnel_low_998': float, 'funnel_high_998': float,
            'dispersion': 'indexes.dispersion', 'z': 'indexes.z',
            'funnel_position': 'cast(null as ' ~ dbt.type_string() ~ ')', 'p_value': 'indexes.p_value',
            'q_value': 'indexes.q_value', 'units': 'indexes.units', 'place': 'indexes.place',
            'place_raw': 'indexes.place_raw', 'natural_value': 'indexes.index_points',
            'verdict': "coalesce(indexes.verdict, 'not_enough_data')", 'index_weight': float, 'index_part': float,
            'measures_known': 'indexes.measures',
        }.items() -%}
        {{ expression }} as {{ name }}{{ ',' if not loop.last }}
        {% endfor %}
    from (select distinct unit_id, window_days, period_no from judged) as seen
    left join indexes
        on
            seen.unit_id = indexes.unit_id
            and seen.window_days = indexes.window_days
            and seen.period_no = indexes.period_no
),

scorecard as (
    select * from of_measures
    union all
    select * from of_indexes
)
{%- endmacro %}

{#- The columns that follow the unit's own in a scorecard. -#}
{% macro scorecard_columns() -%}
scorecard.measure,
    scorecard.label,
    scorecard.unit,
    scorecard.kind,
    scorecard.worse_is,
    {% for name in ['window_days', 'period_no'] -%}
    cast(scorecard.{{ name }} as bigint) as {{ name }},
    {% endfor -%}
    {% for name in ['numerator', 'denominator', 'rate', 'wilson_low', 'wilson_high', 'pooled_rate', 'eb_rate',
        'reliability_raw', 'expected', 'observed_to_expected', 'share_at_full_detail', 'adjusted_rate',
        'eb_adjusted_rate', 'eb_low', 'eb_high', 'natural_value', 'between_deviation', 'eb_weight', 'reliability', 'z',
        'dispersion', 'funnel_low_95', 'funnel_high_95', 'funnel_low_998', 'funnel_high_998', 'funnel_position',
        'p_value', 'q_value', 'verdict'] -%}
    scorecard.{{ name }},
    {% endfor -%}
    {% for name in ['units', 'place', 'place_raw', 'measures_known'] -%}
    cast(scorecard.{{ name }} as bigint) as {{ {'units': 'units_compared'}.get(name, name) }},
    {% endfor -%}
    scorecard.index_weight,
    scorecard.index_part,
    case
        {% for window in score_windows() -%}
        when scorecard.window_days = {{ window.days }} and scorecard.period_no = {{ window.period }}
            then {{ as_of_day(window.days_ago + window.days - 1) }}
        {% endfor -%}
    end as first_day,
    case
        {% for window in score_windows() -%}
        when scorecard.window_days = {{ window.days }} and scorecard.period_no = {{ window.period }}
            then {{ as_of_day(window.days_ago) }}
        {% endfor -%}
    end as last_day,
    {{ as_of_day() }} as as_of_day
{%- endmacro %}
