{{ config(materialized='view') }}
-- What each clock is called, in which unit its times stand, what its rate is, which loaded domain it needs, after how
-- many days a month cannot change by itself any more, and the definition it follows.
{% for clock, domain, unit, unit_seconds, rate_of, kind, followed, standard in [
    ('supply_time', 'connections', 'days', 86400, 'connected by the promised date', 'share', 92,
     'ETSI EG 202 057-1 supply time; ITU-T E.803 no. 9'),
    ('fault_repair_all', 'tickets', 'hours', 3600, 'repaired within the target', 'share', 92,
     'ETSI EG 202 057-1 fault repair time; ITU-T E.803 no. 62; GOST R 56087.2 time of fault repair'),
    ('fault_repair_access', 'tickets', 'hours', 3600, 'repaired within the target', 'share', 92,
     'ETSI EG 202 057-1 fault repair time, access line; ITU-T E.803 no. 62'),
    ('fault_repair_other', 'tickets', 'hours', 3600, 'repaired within the target', 'share', 92,
     'ETSI EG 202 057-1 fault repair time, other faults; ITU-T E.803 no. 62'),
    ('fault_report_rate', 'tickets', 'faults', 1, 'valid faults per 100 lines and month', 'per_100', 92,
     'ETSI EG 202 057-1 fault report rate per line'),
    ('repeat_faults_30d', 'tickets', 'faults', 1, 'repaired, and another valid fault on the line within 30 days', 'share',
     122, 'own definition'),
    ('response_time', 'visits', 'seconds', 1, 'answered calls answered within 20 seconds', 'share', 0,
     'ETSI EG 202 057-1 response time; ITU-T E.803 no. 42'),
    ('response_time_all_calls', 'visits', 'seconds', 1, 'offered calls answered within 20 seconds', 'share', 0,
     'own definition'),
    ('complaint_frequency', 'tickets', 'complaints', 1, 'complaints per 100 lines and month', 'per_100', 92,
     'ETSI EG 202 057-1 frequency of complaints; ITU-T E.803 no. 60'),
    ('complaint_resolution', 'tickets', 'hours', 3600, 'solved within the target', 'share', 92,
     'ETSI EG 202 057-1 complaint resolution time; ITU-T E.803 no. 60'),
] -%}
select
    '{{ clock }}' as clock,
    '{{ domain }}' as domain,
    '{{ unit }}' as unit,
    {{ unit_seconds }} as unit_seconds,
    '{{ rate_of }}' as rate_of,
    '{{ kind }}' as rate_kind,
    {{ followed }} as followed_days,
    '{{ standard }}' as standard
{{ 'union all' if not loop.last }}
{% endfor -%}
