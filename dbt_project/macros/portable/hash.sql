{#-
A number above 0 and below 1 from the md5 of a text, the same on every engine and every day: its first 52 bits.
Two texts give numbers that have nothing to do with each other, which is all that a draw needs.
-#}
{% macro hash_uniform(text) -%}{{ return(adapter.dispatch('hash_uniform')(text)) }}{%- endmacro %}
{% macro default__hash_uniform(text) -%}
((cast(cast(cast('x' || substr(md5({{ text }}), 1, 13) as bit(52)) as bigint) as {{ dbt.type_float() }}) + 0.5)
    / 4503599627370496.0)
{%- endmacro %}
{% macro duckdb__hash_uniform(text) -%}
((cast(cast('0x' || substr(md5({{ text }}), 1, 13) as bigint) as {{ dbt.type_float() }}) + 0.5) / 4503599627370496.0)
{%- endmacro %}
{% macro spark__hash_uniform(text) -%}
((cast(conv(substr(md5({{ text }}), 1, 13), 16, 10) as {{ dbt.type_float() }}) + 0.5) / 4503599627370496.0)
{%- endmacro %}
