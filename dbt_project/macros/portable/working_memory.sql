{#- More memory for the sorts and hashes of one model, until its transaction ends. -#}
{% macro working_memory(megabytes=128) -%}{{ return(adapter.dispatch('working_memory')(megabytes)) }}{%- endmacro %}
{% macro default__working_memory(megabytes) -%}{%- endmacro %}
{% macro postgres__working_memory(megabytes) -%}set local work_mem = '{{ megabytes }}MB'{%- endmacro %}

{#-
Joins of one model by hash, until its transaction ends: where several conditions on one table go together, the planner
expects a single row, and a loop then computes the other side anew for each of hundreds. A merge by the day alone, which
an index gives in order, compares all rows of a day with each other.
-#}
{% macro hashed_joins() -%}{{ return(adapter.dispatch('hashed_joins')()) }}{%- endmacro %}
{% macro default__hashed_joins() -%}{%- endmacro %}
{% macro postgres__hashed_joins() -%}set local enable_nestloop = off; set local enable_mergejoin = off{%- endmacro %}

{#-
Days of one model are read by bitmaps, until its transaction ends: rows of a day lie on few pages, which a table's or an
index's order would visit row by row, or with those of all other days. `or_whole`: or the whole table is read, where it
holds little else; needed by a model that joins whole working tables or looks rows up by keys. Not in a full rebuild, which
reads all days.
-#}
{% macro days_by_bitmaps(or_whole=false) -%}{{ return(adapter.dispatch('days_by_bitmaps')(or_whole)) }}{%- endmacro %}
{% macro default__days_by_bitmaps(or_whole) -%}{%- endmacro %}
{% macro postgres__days_by_bitmaps(or_whole) -%}
{%- if not is_full_rebuild() -%}
    set local enable_indexscan = off{{ '' if or_whole else '; set local enable_seqscan = off' }}
{%- endif -%}
{%- endmacro %}
