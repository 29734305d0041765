{#- The 97.5 % point of the normal distribution, for 95 % intervals; and the 99.9 % point, for the 99.8 % funnel. -#}
{% macro z_95() -%}1.959964{%- endmacro %}
{% macro z_998() -%}3.090232{%- endmacro %}

{#-
A computed figure as it is published: rounded, so that two builds that add in another order give the same digits.
-#}
{% macro rounded(expression, digits=9) -%}
cast(round(cast({{ expression }} as numeric(28, 12)), {{ digits }}) as {{ dbt.type_float() }})
{%- endmacro %}

{#-
Wilson's interval (95 %) of a share of `x` among `n`; null where n is 0.
Source: Wilson 1927; centre (p + z2/2n) / (1 + z2/n), half width z / (1 + z2/n) * sqrt(p(1-p)/n + z2/4n2).
-#}
{% macro wilson_low(x, n) -%}{{ wilson_limit(x, n, '-') }}{%- endmacro %}
{% macro wilson_high(x, n) -%}{{ wilson_limit(x, n, '+') }}{%- endmacro %}
{% macro wilson_limit(x, n, sign) -%}
{%- set p = '(cast(' ~ x ~ ' as ' ~ dbt.type_float() ~ ') / (' ~ n ~ '))' -%}
{%- set z2 = '(' ~ z_95() ~ ' * ' ~ z_95() ~ ')' -%}
case
        when {{ n }} > 0
            then {{ rounded('least(greatest((' ~ p ~ ' + ' ~ z2 ~ ' / (2.0 * (' ~ n ~ ')) ' ~ sign ~ ' ' ~ z_95()
                ~ ' * sqrt(greatest(' ~ p ~ ' * (1 - ' ~ p ~ '), 0) / (' ~ n ~ ') + ' ~ z2 ~ ' / (4.0 * (' ~ n ~ ') * ('
                ~ n ~ ')))) / (1 + ' ~ z2 ~ ' / (' ~ n ~ ')), 0), 1)') }}
    end
{%- endmacro %}

{#-
Probability that a standard normal value exceeds abs(`z`), an expression; about 14 digits.
Source: Hart 1968, algorithm 5666, as given by West 2005. Beyond 37 standard deviations a float would underflow.
`z` must not be null: least() passes over nulls and would take it for 37.
-#}
{% macro upper_tail(z) -%}
{%- set a = 'least(abs(cast(' ~ z ~ ' as ' ~ dbt.type_float() ~ ')), 37.0)' -%}
(exp(-{{ a }} * {{ a }} / 2.0) * case
        when {{ a }} < 7.07106781186547
            then {{ polynomial(a, [0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383,
                112.079291497871, 221.213596169931, 220.206867912376]) }}
                / {{ polynomial(a, [0.0883883476483184, 1.75566716318264, 16.064177579207, 86.7807322029461,
                296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752]) }}
        else
            1.0 / ({{ a }} + 1.0 / ({{ a }} + 2.0 / ({{ a }} + 3.0 / ({{ a }} + 4.0 / ({{ a }} + 0.65))))) / 2.506628274631
    end)
{%- endmacro %}

{#- Horner's scheme, the highest power first. -#}
{% macro polynomial(x, coefficients) -%}
{%- set nested = namespace(text=coefficients[0] | string) -%}
{%- for c in coefficients[1:] -%}
{%- set nested.text = '(' ~ nested.text ~ ' * ' ~ x ~ ' + ' ~ c ~ ')' -%}
{%- endfor -%}
{{ nested.text }}
{%- endmacro %}

{#- The standard normal distribution function of a column; null of null, which least() alone would leave out. -#}
{% macro normal_cdf(z) -%}
(case when {{ z }} < 0 then {{ upper_tail(z) }} when {{ z }} >= 0 then 1.0 - {{ upper_tail(z) }} end)
{%- endmacro %}

{#- Two-sided p-value of a standard normal score, a column; null of null. -#}
{% macro two_sided_p(z) -%}
(case when {{ z }} is not null then least(2.0 * {{ upper_tail(z) }}, 1.0) end)
{%- endmacro %}

{#-
Benjamini-Hochberg in two steps. ranked_p: columns p_rank and p_count of column `p` among the rows that have one,
within `partition`; in the next CTE q_value: the smallest false discovery rate at which the row is reported.
Source: Benjamini and Hochberg 1995; q_i = min over p_j >= p_i of p_j * m / rank_j.
-#}
{% macro ranked_p(p, partition) -%}
row_number() over (partition by {{ partition }} order by {{ p }} asc nulls last) as p_rank,
    count({{ p }}) over (partition by {{ partition }}) as p_count
{%- endmacro %}
{% macro q_value(p, partition) -%}
case
        when {{ p }} is not null
            then least(min({{ p }} * p_count / p_rank) over (
                partition by {{ partition }}
                order by p_rank desc
                rows between unbounded preceding and current row
            ), 1.0)
    end
{%- endmacro %}
