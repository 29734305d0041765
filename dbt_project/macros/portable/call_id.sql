{#-
Text that orders call ids by age: `epoch.n` and `systemname-epoch.n` by number, others last. The id itself follows
after a bar, so that min() of it names the oldest call.
-#}
{% macro call_age(call_id) -%}
case
        when {{ regexp_like(call_id, "'^(.*-)?[0-9]{1,12}[.][0-9]{1,10}$'") }}
            then
                lpad({{ regexp_substr("split_part(" ~ call_id ~ ", '.', -2)", "'[0-9]+$'") }}, 12, '0')
                || '.' || lpad(split_part({{ call_id }}, '.', -1), 10, '0') || '|' || {{ call_id }}
        else '~|' || {{ call_id }}
    end
{%- endmacro %}

{#- The id at the end of call_age(). -#}
{% macro call_of_age(age) -%}substr({{ age }}, position('|' in {{ age }}) + 1){%- endmacro %}
