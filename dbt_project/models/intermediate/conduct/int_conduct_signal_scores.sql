-- Grain: period x signal x operator that is judged. z is the distance from the expectation, worse is positive, in
-- standard deviations of how operators usually differ.
with
judged as (
    select
        *,
        count(*) over (partition by period, signal) as compared
    from {{ ref('int_conduct_judged') }}
    where n >= least_n and worse_by is not null
),

-- Too few to know how operators usually differ are not compared.
scored as (
    select
        *,
        worse_by as score
    from judged
    where compared >= 10
),

{{ empirical_null_ctes('scored', 'spread_out', ['period', 'signal']) }}

-- What one listener alone noticed speaks against nobody.
select
    period,
    aspect,
    signal as test,
    operator_id,
    spread_out_spread as spread,
    case
        when is_heard and coalesce(listeners_who_noticed, 0) < 2 then least(spread_out_z, 0)
        else spread_out_z
    end as z
from spread_out
