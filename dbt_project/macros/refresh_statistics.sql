{#-
The planner must know a new table's size before the next model joins it; else it loops over millions of rows. Of a table
that stays they are made again when a tenth of its rows changed, in a night by a sample of 9,000 rows: of 30,000 they cost
the more the longer history is. What a night makes anew is told by 3,000: of 30,000 it was a tenth of the night's CPU. The
next night drops it, so nobody needs to vacuum it.
-#}
{% macro refresh_statistics() %}
    {{ return(adapter.dispatch('refresh_statistics', 'quality_line')()) }}
{% endmacro %}

{% macro default__refresh_statistics() %}
{% endmacro %}

{% macro spark__refresh_statistics() %}
    {%- if model.config.materialized != 'view' -%}
        analyze table {{ this }} compute statistics for all columns
    {%- endif -%}
{% endmacro %}

{% macro postgres__refresh_statistics() %}
    {%- if model.config.materialized == 'table' -%}
        {%- if not is_full_rebuild() -%}
            alter table {{ this }} set (autovacuum_enabled = off);
            set local default_statistics_target = 10;
        {%- endif %}
        analyze {{ this }}
    {%- elif model.config.materialized in ('incremental', 'seed') -%}
        {%- if not is_full_rebuild() -%}
            set local default_statistics_target = 30;
        {% endif -%}
        do $$
        begin
            if exists (
                select 1
                from pg_class as tables
                left join pg_stat_all_tables as before on tables.oid = before.relid
                left join pg_stat_xact_all_tables as now on tables.oid = now.relid
                where
                    tables.oid = '{{ this }}'::regclass
                    and (
                        tables.reltuples < 1
                        or coalesce(before.n_mod_since_analyze, 0)
                        + coalesce(now.n_tup_ins + now.n_tup_upd + now.n_tup_del, 0) > 0.1 * tables.reltuples
                    )
            ) then
                analyze {{ this }};
            end if;
        end
        $$
    {%- endif -%}
{% endmacro %}
