{#- Rows of int_state_changes from CTE events: `queue` is an expression, null for all queues of the operator. -#}
{% macro state_change(state, condition, queue, is_begin) -%}
select
        events.operator_id,
        events.server_id,
        '{{ state }}' as state,
        {{ 'events.queue' if queue == 'queue' else 'cast(' ~ queue ~ ' as ' ~ dbt.type_string() ~ ')' }} as queue,
        {{ 'true' if is_begin else 'false' }} as is_begin,
        {{ "nullif(events.params, '')" if is_begin and state == 'pause' and 'login' not in condition
            else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as reason,
        events.event_at,
        events.log_seq
    from events
    left join paused_by_queue
        on
            events.server_id = paused_by_queue.server_id
            and events.file_id = paused_by_queue.file_id
            and events.line_no = paused_by_queue.line_no
    where {{ condition.replace('is_by_queue', '(paused_by_queue.line_no is not null)') }}
{%- endmacro %}
