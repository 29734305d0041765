{#-
The settings in force for the queue of each row of `calls`, a CTE with server_id: `key`, and the settings' branch_id,
topic_class, service_level_seconds and short_abandon_seconds. A server's own settings win over those of any server.
`queue`, `at`: columns of `calls` with the queue's name and the instant.
-#}
{% macro queue_settings_of(calls, key, queue, at) -%}
select *
    from (
        select
            {% for column in key -%}
                {{ calls }}.{{ column }},
            {% endfor -%}
            settings.branch_id,
            settings.topic_class,
            settings.service_level_seconds,
            settings.short_abandon_seconds,
            row_number() over (
                partition by {{ calls }}.{{ key | join(', ' ~ calls ~ '.') }}
                order by case when settings.server_id = '*' then 1 else 0 end, settings.valid_from_at desc
            ) as setting_rank
        from {{ calls }}
        inner join {{ ref('int_queue_settings') }} as settings
            on
                {{ calls }}.{{ queue }} = settings.queue
                and settings.server_id in ({{ calls }}.server_id, '*')
                and {{ calls }}.{{ at }} >= settings.valid_from_at
                and (settings.valid_to_at is null or {{ calls }}.{{ at }} < settings.valid_to_at)
    ) as settings_ranked
    where setting_rank = 1
{%- endmacro %}
