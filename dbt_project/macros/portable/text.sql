{#- Condition: `text` matches the regular expression (an expression) anywhere. -#}
{% macro regexp_like(text, pattern) -%}{{ return(adapter.dispatch('regexp_like')(text, pattern)) }}{%- endmacro %}
{% macro default__regexp_like(text, pattern) -%}regexp_like({{ text }}, {{ pattern }}){%- endmacro %}
{% macro duckdb__regexp_like(text, pattern) -%}regexp_matches({{ text }}, {{ pattern }}){%- endmacro %}

{#- The first part of `text` that matches the regular expression; null when none does. -#}
{% macro regexp_substr(text, pattern) -%}{{ return(adapter.dispatch('regexp_substr')(text, pattern)) }}{%- endmacro %}
{% macro default__regexp_substr(text, pattern) -%}regexp_substr({{ text }}, {{ pattern }}){%- endmacro %}
{% macro duckdb__regexp_substr(text, pattern) -%}nullif(regexp_extract({{ text }}, {{ pattern }}), ''){%- endmacro %}

{#- Digits only, at most nine, as a whole number; anything else is null. -#}
{% macro whole_number(text) -%}
case when {{ regexp_like(text, "'^[0-9]{1,9}$'") }} then cast({{ text }} as bigint) end
{%- endmacro %}

{#- The n-th field of text whose fields stand between bars; null when empty. Negative n counts from the right. -#}
{% macro bar_field(text, n) -%}nullif(split_part({{ text }}, '|', {{ n }}), ''){%- endmacro %}

{#- A text literal from a value of the configuration. -#}
{% macro text_literal(value) -%}'{{ (value | string).replace("'", "''") }}'{%- endmacro %}

{#- Condition: the expression is one of the configured values; false for an empty list. -#}
{% macro is_one_of(expression, values) -%}
{%- if values -%}
{{ expression }} in ({% for value in values %}{{ text_literal(value) }}{{ ', ' if not loop.last }}{% endfor %})
{%- else -%}
false
{%- endif -%}
{%- endmacro %}

{#- A number as text without decimals. -#}
{% macro whole_number_text(number) -%}
cast(cast(floor({{ number }}) as bigint) as {{ dbt.type_string() }})
{%- endmacro %}
