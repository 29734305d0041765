-- Grain: one provider, branch or operator. Calls of the last 90 days of which listener and subscriber both say whether
-- the question was solved.
with
solved as (
    select
        *,
        'all' as provider_id
    from {{ ref('audit_pairs') }}
    where is_solved_agreed is not null and {{ in_last_days('business_day', 90) }}
)

{% for grain in ['provider', 'branch', 'operator'] %}
    select
        '{{ grain }}' as grain,
        {{ grain }}_id as grain_id,
        count(*) as solved_pairs,
        {{ count_if('is_solved_agreed') }} as solved_agreed,
        {{ count_if('audit_solved and not subscriber_solved') }} as solved_by_audit_only,
        {{ count_if('subscriber_solved and not audit_solved') }} as solved_by_subscriber_only
    from solved
    where {{ grain }}_id is not null
    group by {{ grain }}_id
    {{ 'union all' if not loop.last }}
{%- endfor %}
