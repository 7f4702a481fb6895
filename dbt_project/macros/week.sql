{#
  The range of local days that is built. A run over weeks says `first_week` and `last_week`, a run over days `first_day`
  and `last_day`; everything else asks these macros.
#}
{% macro first_day() -%}
    {%- if var('first_day') -%} date '{{ var("first_day") }}'
    {%- else -%} {{ monday_of("'" ~ var('first_week') ~ "'") }} {%- endif -%}
{%- endmacro %}

{% macro last_day() -%}
    {%- if var('last_day') -%} date '{{ var("last_day") }}'
    {%- else -%} ({{ monday_of("'" ~ var('last_week') ~ "'") }} + 6) {%- endif -%}
{%- endmacro %}

{# The Monday of an ISO week key ('2026-W47') as a date. #}
{% macro monday_of(week) -%}
    to_date({{ week }}, 'IYYY"-W"IW')
{%- endmacro %}

{# The ISO week key of a local date. #}
{% macro iso_week(day) -%}
    to_char({{ day }}, 'IYYY"-W"IW')
{%- endmacro %}

{# The instant at which a local day begins in the organisation's zone: days of 23 and 25 hours are what they are. #}
{% macro begin_of(day) -%}
    (({{ day }})::timestamp at time zone '{{ var("time_zone") }}')
{%- endmacro %}

{# Rows of the range by their week, which is indexed, and by their day. #}
{% macro in_range(week, day) -%}
    {{ week }} between {{ iso_week(first_day()) }} and {{ iso_week(last_day()) }}
    and {{ day }} between {{ first_day() }} and {{ last_day() }}
{%- endmacro %}
