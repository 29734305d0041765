-- Grain: branch ('*': all) x week x item, near the touched days: key figures that are shares, from the daily mart's
-- numerators and denominators. A week without any denominator has no row.
with
days as (
    select
        branch_id,
        {% for item, numerator, denominator, worse_is in review_rates() %}
            {{ numerator }} as {{ item }}_x,
            {{ denominator }} as {{ item }}_n,
        {% endfor %}
        business_day
    from {{ ref('branch_quality_daily') }}
    where {{ near_touched_days('business_day', 111, 133) }}
),

weeks as (
    {% set columns = [] -%}
    {% for rate in review_rates() -%}
        {% do columns.append(rate[0] ~ '_x') -%}
        {% do columns.append(rate[0] ~ '_n') -%}
    {% endfor -%}
    {{ by_branch_and_all('days', columns | join(',\n    ')) }}
)

{% for item, numerator, denominator, worse_is in review_rates() %}
    {{ review_measure(
        'weeks', 'kpi', "'" ~ item ~ "'", 'rate', worse_is, 'sum(' ~ item ~ '_n)', 'sum(' ~ item ~ '_x)'
    ) }}
    having sum({{ item }}_n) > 0
    {{ 'union all' if not loop.last }}
{% endfor %}
