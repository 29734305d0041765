{#-
Three bands in which a listener's score (0 to 100) and a subscriber's points (1 to 5) are compared. The outer ones are
what is called strong when the two disagree. Means lie between the points: 2.5 is neither low nor high.
-#}
{% macro audit_band(score) -%}
case
        when {{ score }} >= 90 then 'high'
        when {{ score }} >= 70 then 'middle'
        when {{ score }} < 70 then 'low'
    end
{%- endmacro %}

{% macro opinion_band(points) -%}
case
        when {{ points }} >= 4 then 'high'
        when {{ points }} > 2 then 'middle'
        when {{ points }} <= 2 then 'low'
    end
{%- endmacro %}

{% macro band_number(band) -%}
case {{ band }} when 'low' then 1 when 'middle' then 2 when 'high' then 3 end
{%- endmacro %}

{#- What most rows of a group say of a yes/no expression; null where nobody knows or they are even. -#}
{% macro most_say(flag) -%}
case
        when {{ count_if(flag) }} > {{ count_if('not (' ~ flag ~ ')') }} then true
        when {{ count_if(flag) }} < {{ count_if('not (' ~ flag ~ ')') }} then false
    end
{%- endmacro %}
