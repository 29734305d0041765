-- Grain: one listener: his bias, shrunk to 0 by how much listeners of his group differ at all (empirical Bayes by
-- moments: tau2 = mean of bias^2 - error^2), and how sure it is that there is one.
with
biases as (
    select
        *,
        cast(bias as numeric(28, 9)) as bias_exact,
        cast(bias_error as numeric(28, 9)) as error_exact,
        case
            when bias_error > 0
                then round(cast(bias as numeric(28, 9)) / cast(bias_error as numeric(28, 9)), 9)
        end as z
    from {{ ref('stg_calculated__listener_bias') }}
),

compared as (
    select
        *,
        greatest(avg(bias_exact * bias_exact - error_exact * error_exact) over (), 0) as between_listeners,
        case when group_listeners >= 3 and calls >= 10 and z is not null then {{ two_sided_p('z') }} end as p_value
    from biases
),

ranked as (
    select
        *,
        between_listeners / nullif(between_listeners + error_exact * error_exact, 0) as reliability,
        {{ ranked_p('p_value', 'true') }}
    from compared
)

select
    evaluator_id,
    calls,
    group_listeners,
    loo_difference,
    bias,
    bias_error,
    {{ rounded('reliability') }} as reliability,
    {{ rounded('bias_exact * reliability') }} as bias_shrunk,
    {{ rounded('bias_exact * reliability - ' ~ z_95() ~ ' * error_exact * sqrt(reliability)') }} as bias_low,
    {{ rounded('bias_exact * reliability + ' ~ z_95() ~ ' * error_exact * sqrt(reliability)') }} as bias_high,
    {{ rounded('p_value') }} as p_value,
    {{ rounded(q_value('p_value', 'true')) }} as q_value
from ranked
