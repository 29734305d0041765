{#- An order or a fault is watched for so many days; what is not done by then counts as not done. -#}
{% macro followed_days() -%}92{%- endmacro %}

{#- `rows` counted for its own branch and technology, for all of either, and for all of both: x_branch, x_technology. -#}
{% macro with_all_cells(rows) -%}
select
        {{ rows }}.*,
        case when ways.all_branches then 'all' else {{ rows }}.branch_id end as cell_branch_id,
        case when ways.all_technologies then 'all' else {{ rows }}.technology end as cell_technology
    from {{ rows }}
    cross join (
        select false as all_branches, false as all_technologies
        union all select true as all_branches, false as all_technologies
        union all select false as all_branches, true as all_technologies
        union all select true as all_branches, true as all_technologies
    ) as ways
{%- endmacro %}
