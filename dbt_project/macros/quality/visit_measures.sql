{#-
What is measured of a group of queue visits; needs the flags of int_visits_daily.
The service level's boundary is inclusive, as in the PBX. Flow-outs left the queue without an answer and without
hanging up: time-out, key, empty queue, withdrawal. A crash (interrupted) or a failed hand-over is none.
-#}
{% macro visit_measures() -%}
{%- set answered = count_if('is_answered') -%}
count(distinct contact_id) filter (where is_answered) as contacts_handled,
count(*) as visits_entered,
{{ answered }} as visits_answered,
{{ count_if('is_abandoned') }} as visits_abandoned,
{{ count_if('is_short_abandon') }} as visits_short_abandoned,
{{ count_if("outcome = 'timed_out'") }} as visits_timed_out,
{{ count_if("outcome = 'left_by_key'") }} as visits_left_by_key,
{{ count_if("outcome = 'left_empty'") }} as visits_left_empty,
{{ count_if("outcome = 'withdrawn'") }} as visits_withdrawn,
{{ count_if("outcome = 'failed'") }} as visits_failed,
{{ count_if("outcome = 'interrupted'") }} as visits_interrupted,
{{ count_if("outcome = 'open'") }} as visits_open,
{{ ratio(count_if('is_abandoned'), 'count(*)') }} as abandon_rate,
{{ ratio(count_if('is_abandoned and not is_short_abandon'),
         count_if('is_answered or (is_abandoned and not is_short_abandon)')) }} as abandon_rate_no_short,
{{ distribution('wait_seconds', 'wait_seconds', 'is_answered') }},
{{ distribution('wait_all_seconds', 'wait_seconds', "outcome <> 'open'") }},
{{ distribution('ring_seconds', 'ring_seconds', 'is_answered') }},
{{ distribution('talk_seconds', 'talk_seconds', 'is_answered') }},
{{ count_if('is_answered and is_zero_talk') }} as zero_talk_answers,
{{ count_if('is_answered and is_talk_suspect') }} as suspect_talk_answers,
{{ count_if('is_answered or is_abandoned') }} as service_level_offered_base,
{{ count_if('is_answered or (is_abandoned and not is_short_abandon)') }} as service_level_no_short_base,
{{ count_if('is_answered or is_abandoned or is_flowout') }} as service_level_flowouts_base,
{{ service_levels('is_in_threshold', 'in_threshold', '') }},
{{ service_levels('is_within_20s', 'within_20s', '_20s') }},
{{ count_if('is_answered and transfer_kind is not null') }} as transfers,
{{ count_if("is_answered and transfer_kind = 'blind'") }} as transfers_blind,
{{ count_if("is_answered and transfer_kind = 'attended'") }} as transfers_attended,
{{ ratio(count_if('is_answered and transfer_kind is not null'), answered) }} as transfer_rate,
{{ count_if("is_answered and hung_up_by = 'operator'") }} as ended_by_operator,
{{ count_if("is_answered and hung_up_by = 'subscriber'") }} as ended_by_subscriber,
{{ ratio(count_if("is_answered and hung_up_by = 'operator'"),
         count_if("is_answered and hung_up_by in ('operator', 'subscriber')")) }} as operator_hangup_share
{%- endmacro %}

{#- The service level's variants for one limit; `fast`: flag of visits whose wait did not exceed it. -#}
{% macro service_levels(fast, limit, suffix) -%}
{%- set served = count_if('is_answered and ' ~ fast) -%}
{{ served }} as answered_{{ limit }},
{{ count_if('is_abandoned and ' ~ fast) }} as abandoned_{{ limit }},
{{ ratio(served, count_if('is_answered')) }} as service_level_answered{{ suffix }},
{{ ratio(served, count_if('is_answered or is_abandoned')) }} as service_level_offered{{ suffix }},
{{ ratio(served, count_if('is_answered or (is_abandoned and not is_short_abandon)')) }}
    as service_level_no_short{{ suffix }},
{{ ratio(served, count_if('is_answered or is_abandoned or is_flowout')) }} as service_level_flowouts{{ suffix }},
{{ ratio(count_if('(is_answered or is_abandoned) and ' ~ fast), count_if('is_answered or is_abandoned')) }}
    as service_level_asterisk2{{ suffix }}
{%- endmacro %}
