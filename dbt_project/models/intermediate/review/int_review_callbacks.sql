-- Grain: branch ('*': all) x week x item, near the touched days: call-backs owed in the week, and what became of them.
-- The shares count days whose calls have all passed their deadlines: before, only those that went well would be known.
{% set is_settled = 'business_day <= ' ~ as_of_day(review_callbacks_settle_days()) %}
with
days as (
    select
        branch_id,
        owed,
        {% for item, numerator, denominator, worse_is in review_callback_rates() %}
            case when {{ is_settled }} then {{ numerator }} end as {{ item }}_x,
            case when {{ is_settled }} then {{ denominator }} end as {{ item }}_n,
        {% endfor %}
        business_day
    from {{ ref('callbacks_daily') }}
    where {{ near_touched_days('business_day', 111, 133) }}
),

weeks as (
    {% set columns = ['owed'] -%}
    {% for rate in review_callback_rates() -%}
        {% do columns.append(rate[0] ~ '_x') -%}
        {% do columns.append(rate[0] ~ '_n') -%}
    {% endfor -%}
    {{ by_branch_and_all('days', columns | join(',\n    ')) }}
)

{{ review_measure('weeks', 'callbacks', "'callbacks_owed'", 'count', none, '1', 'sum(owed)') }}
{% for item, numerator, denominator, worse_is in review_callback_rates() %}
    union all
    {{ review_measure(
        'weeks', 'callbacks', "'" ~ item ~ "'", 'rate', worse_is, 'sum(' ~ item ~ '_n)', 'sum(' ~ item ~ '_x)'
    ) }}
    having sum({{ item }}_n) > 0
{% endfor %}
