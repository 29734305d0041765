{{ config(pre_hook="{{ working_memory() }}") }}
-- Grain: grain (operator, branch) x measure x window x unit. What each unit had (x of n) and what it would have had if
-- its contacts had gone as such contacts usually go.
{{ expected_by_case_mix(
    ref('int_measure_cells'), ['grain', 'measure', 'window_days', 'period_no'], 'unit_id', case_mix_dims()
) }}
