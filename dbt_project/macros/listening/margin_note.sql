{#- What the plan buys, in one line; null for targeted calls, which are joined to no margin. -#}
{% macro margin_note() -%}
'branch ' || planned.branch_id || ': +-' || {{ one_decimal('branches.half_width') }}
    || ' points on the month''s mean score with '
    || {{ whole_number_text('round(cast(branches.month_planned as numeric(20, 3)))') }} || ' of '
    || branches.month_calls || ' calls (' || branches.month_calls_needed || ' would buy +-'
    || {{ one_decimal(var('listening_margin_points')) }} || '); operator ' || planned.operator_id || ': +-'
    || {{ one_decimal('operators.half_width') }} || ' with '
    || {{ whole_number_text('round(cast(operators.month_planned as numeric(20, 3)))') }} || ' of '
    || operators.month_calls
{%- endmacro %}

{% macro one_decimal(number) -%}
cast(cast(round(cast({{ number }} as numeric(20, 6)), 1) as numeric(20, 1)) as {{ dbt.type_string() }})
{%- endmacro %}
