{{ config(materialized='incremental', incremental_strategy='replace_days') }}
-- placeholder
select
    cast(null as text) as evaluation_id,
    cast(null as text) as contact_id,
    cast(null as text) as operator_id,
    cast(null as text) as evaluator_id,
    cast(null as text) as branch_id,
    cast(null as text) as topic_id,
    cast(null as text) as topic_class,
    cast(null as text) as form_id,
    cast(null as text) as form_version,
    cast(null as timestamptz) as evaluated_at,
    cast(null as double precision) as score_raw,
    cast(null as double precision) as score,
    cast(null as bigint) as items,
    cast(null as bigint) as items_applicable,
    cast(null as bigint) as fatal_errors,
    cast(null as bigint) as fatal_customer,
    cast(null as bigint) as fatal_business,
    cast(null as bigint) as fatal_compliance,
    cast(null as text) as tone,
    cast(null as boolean) as is_rude,
    cast(null as boolean) as is_solved,
    cast(null as date) as business_day
where false
