{{ config(materialized='incremental', incremental_strategy='replace_days', indexes=[{'columns': ['business_day']}]) }}
-- For each branch's local day: what the sources that hold it allow to measure. A domain is what one or two landed
-- tables measure; where the provider has none of them it is 'not_configured'. A day that no window touches has no row.
with
sources as (
    select
        branch_id,
        business_day,
        coalesce(max(coverage) filter (where source = 'telephony'), 'not_loaded') as telephony,
        coalesce(max(coverage) filter (where source = 'crm'), 'not_loaded') as crm,
        coalesce(max(coverage) filter (where source = 'ivr'), 'not_loaded') as ivr,
        coalesce(max(coverage) filter (where source = 'survey'), 'not_loaded') as survey,
        bool_or(source = 'due') as is_due
    from {{ ref('int_source_coverage') }}
    where {{ in_touched_days('business_day') }}
    group by branch_id, business_day
),

known as (
    select
        {{ has_tables(['queue_log', 'cdr', 'ivr_ratings', 'survey_responses', 'evaluations', 'tickets',
                       'ticket_events', 'subscribers', 'connections']) }}
    from {{ ref('stg_ops__setting_sources') }}
    where is_configured
)

select
    sources.branch_id,
    sources.is_due,
    -- Contacts are seen by telephony; by what else there is where a provider has none.
    case
        when known.has_queue_log then sources.telephony
        when known.has_tickets then sources.crm
        when known.has_survey_responses then sources.survey
        else sources.ivr
    end as contacts_coverage,
    {{ covered_if('has_queue_log', 'telephony') }} as visits_coverage,
    {{ covered_if('has_cdr', 'telephony') }} as turned_away_coverage,
    {{ covered_if('has_ivr_ratings', 'ivr') }} as ratings_coverage,
    {{ covered_if('has_survey_responses', 'survey') }} as surveys_coverage,
    {{ covered_if('has_evaluations', 'crm') }} as evaluations_coverage,
    {{ covered_if('has_tickets', 'crm') }} as tickets_coverage,
    {{ covered_if('has_ticket_events', 'crm') }} as ticket_events_coverage,
    {{ covered_if('has_connections', 'crm') }} as connections_coverage,
    case
        when not known.has_queue_log or not known.has_subscribers then 'not_configured'
        when sources.crm = 'not_loaded' then 'not_loaded'
        else sources.telephony
    end as repeats_coverage,
    sources.business_day
from sources
cross join known
