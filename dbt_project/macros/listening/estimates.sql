{#- What is estimated from listened calls: name, expression over an evaluation, kind, and which way is worse. -#}
{% macro listening_measures() -%}
{{ return([
    {'name': 'score', 'value': 'score', 'kind': 'mean', 'worse_is': 'low'},
    {'name': 'score_raw', 'value': 'score_raw', 'kind': 'mean', 'worse_is': 'low'},
    {'name': 'solved', 'value': 'case when is_solved then 1 when not is_solved then 0 end', 'kind': 'rate', 'worse_is': 'low'},
    {'name': 'fatal', 'value': 'case when fatal_errors > 0 then 1 else 0 end', 'kind': 'rate', 'worse_is': 'high'},
    {'name': 'rude', 'value': 'case when is_rude then 1 when not is_rude then 0 end', 'kind': 'rate', 'worse_is': 'high'},
]) }}
{%- endmacro %}

{#- What listening_measures() says under `key` about the measure of a row. -#}
{% macro of_measure(key) -%}
case measure{% for measure in listening_measures() %} when '{{ measure.name }}' then '{{ measure[key] }}'{% endfor %} end
{%- endmacro %}

{#-
CTEs that weigh listened calls so that they stand for all calls of the same kind. The last one is called `weighted`:
one row for each evaluation of `heard` that counts, with the call's weight and how many listeners share it.
heard: a CTE of int_listening_heard; pool: a CTE of int_listening_pool over the same days.
A stratum is month, branch, topic class, length band and pi_source. base is 1 / pi for calls of the plan, 1 for others;
weight = base * N / sum of base, N being the calls of the stratum: for calls taken at random N / n, for calls of the
plan 1 / pi, made up for what was planned and not heard. 1 / weight is the probability that is reckoned with.
-#}
{% macro weighted_ctes(heard, pool) -%}
{%- set stratum = ['month_start', 'branch_id', 'topic_class', 'length_band', 'pi_source'] -%}
{%- set plan_from = "cast('" ~ (var('listening_plan_from') or '9999-12-31') ~ "' as date)" -%}
sourced as (
    select
        *,
        case when business_day < {{ plan_from }} then 'stratum' else 'plan' end as pi_source
    from {{ pool }}
),

stratum_calls as (
    select
        {{ stratum | join(', ') }},
        count(*) as calls
    from sourced
    group by {{ stratum | join(', ') }}
),

heard_calls as (
    select
        sourced.contact_id,
        {% for column in stratum %}sourced.{{ column }},
        {% endfor -%}
        count(*) as listeners,
        1 / cast(coalesce(min(heard.pi), 1) as numeric(28, 12)) as base
    from {{ heard }} as heard
    inner join sourced on heard.contact_id = sourced.contact_id
    where heard.pi_source is not null
    group by sourced.contact_id{% for column in stratum %}, sourced.{{ column }}{% endfor %}
),

stratum_heard as (
    select
        {{ stratum | join(', ') }},
        sum(base) as base
    from heard_calls
    group by {{ stratum | join(', ') }}
),

covered as (
    select
        sourced.*,
        stratum_heard.base is not null as is_covered,
        stratum_calls.calls / stratum_heard.base as factor
    from sourced
    inner join stratum_calls
        on {% for column in stratum %}sourced.{{ column }} = stratum_calls.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
    left join stratum_heard
        on {% for column in stratum %}sourced.{{ column }} = stratum_heard.{{ column }}{{ ' and ' if not loop.last }}{% endfor %}
),

weighted as (
    select
        heard.*,
        heard_calls.month_start,
        heard_calls.listeners,
        heard_calls.base * covered.factor as weight
    from {{ heard }} as heard
    inner join heard_calls on heard.contact_id = heard_calls.contact_id
    inner join covered on heard.contact_id = covered.contact_id
    where heard.pi_source is not null
)
{%- endmacro %}

{#-
CTEs that estimate each measure for all calls of a unit from the `weighted` evaluations. The last one is `estimated`:
level, unit_id, `by`, measure, calls, calls_covered, calls_heard, calls_by_plan, evaluations, effective_calls, estimate,
variance. A call that several people heard counts once, as their mean.
Estimate: sum(w y) / sum(w) (Hajek's form of Horvitz and Thompson, w = 1 / pi). Variance: that of the linearised total
for a design of fixed size and high entropy (Hajek 1964), n / (n - 1) * sum((1 - 1/w) (d - D)^2) / sum(w)^2 with
d = w (y - estimate) and D their mean weighted by 1 - 1/w. What the strata gain is left out: it is rather too large.
levels: {level: column}; by: a list of further columns (the month).
-#}
{% macro estimated_ctes(levels, by) -%}
{%- set more = (', ' ~ by | join(', ')) if by else '' -%}
measured as (
    {% for measure in listening_measures() %}
        select
            '{{ measure.name }}' as measure,
            contact_id,
            min(pi_source) as pi_source,
            {% for level in levels %}min({{ levels[level] }}) as {{ levels[level] }},
            {% endfor -%}
            {% for column in by %}min({{ column }}) as {{ column }},
            {% endfor -%}
            count(*) as evaluations,
            min(weight) as w,
            avg(cast({{ measure.value }} as numeric(28, 12))) as y
        from weighted
        where {{ measure.value }} is not null
        group by contact_id
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

unit_calls as (
    {% for level in levels %}
        select
            '{{ level }}' as level,
            {{ levels[level] }} as unit_id{{ more }},
            count(*) as calls,
            count(*) filter (where is_covered) as calls_covered
        from covered
        where {{ levels[level] }} is not null
        group by {{ levels[level] }}{{ more }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

unit_measured as (
    {% for level in levels %}
        select
            '{{ level }}' as level,
            {{ levels[level] }} as unit_id{{ more }},
            measure,
            pi_source,
            evaluations,
            w,
            y,
            greatest(1 - 1 / w, 0) as unseen
        from measured
        where {{ levels[level] }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

centred as (
    select
        *,
        sum(w * y) over same / sum(w) over same as estimate,
        w * (y - sum(w * y) over same / sum(w) over same) as d
    from unit_measured
    window same as (partition by level, unit_id{{ more }}, measure)
),

spread_out as (
    select
        *,
        coalesce(sum(unseen * d) over same / nullif(sum(unseen) over same, 0), 0) as centre
    from centred
    window same as (partition by level, unit_id{{ more }}, measure)
),

summed as (
    select
        level,
        unit_id{{ more }},
        measure,
        count(*) as calls_heard,
        count(*) filter (where pi_source = 'plan') as calls_by_plan,
        cast(sum(evaluations) as bigint) as evaluations,
        sum(w) * sum(w) / sum(w * w) as effective_calls,
        min(estimate) as estimate,
        cast(count(*) as numeric(28, 12)) / nullif(count(*) - 1, 0)
        * sum(unseen * (d - centre) * (d - centre)) / (sum(w) * sum(w)) as variance
    from spread_out
    group by level, unit_id{{ more }}, measure
),

estimated as (
    select
        summed.*,
        coalesce(unit_calls.calls, 0) as calls,
        coalesce(unit_calls.calls_covered, 0) as calls_covered
    from summed
    left join unit_calls
        on
            summed.level = unit_calls.level and summed.unit_id = unit_calls.unit_id
            {%- for column in by %} and summed.{{ column }} = unit_calls.{{ column }}{% endfor %}
)
{%- endmacro %}

{#- Columns of a mart from `estimated`; below 5 calls there is an estimate and no interval. -#}
{% macro estimate_columns() -%}
estimated.calls,
    estimated.calls_covered,
    estimated.calls_heard,
    estimated.calls_by_plan,
    estimated.evaluations,
    {{ rounded('estimated.effective_calls', 3) }} as effective_calls,
    {{ rounded('estimated.estimate') }} as estimate,
    case when estimated.calls_heard >= 5 then {{ rounded('sqrt(estimated.variance)') }} end as standard_error,
    {% for side, sign, limit in [('low', '-', 'greatest'), ('high', '+', 'least')] -%}
    case
        when estimated.calls_heard >= 5
            then {{ rounded(limit ~ '(estimated.estimate ' ~ sign ~ ' ' ~ t_95('estimated.calls_heard - 1')
                ~ ' * sqrt(estimated.variance), ' ~ ('0' if side == 'low' else
                "case when estimated.measure in ('score', 'score_raw') then 100 else 1 end") ~ ')') }}
    end as estimate_{{ side }}{{ ',' if side == 'low' }}
    {% endfor -%}
{%- endmacro %}

{#-
The 97.5 % point of Student's t with `nu` degrees of freedom (an expression, 4 or more), to within 0.05.
Source: Cornish and Fisher's expansion, Abramowitz and Stegun 26.7.5.
-#}
{% macro t_95(nu) -%}
({{ z_95() }} + 2.372271 / ({{ nu }}) + 2.822502 / (({{ nu }}) * ({{ nu }})) + 2.555853 / (({{ nu }}) * ({{ nu }}) * ({{ nu }})))
{%- endmacro %}
