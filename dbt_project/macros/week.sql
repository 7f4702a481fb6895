{# The Monday of an ISO week key ('2026-W47') as a date. #}
{% macro monday_of(week) -%}
    to_date({{ week }}, 'IYYY"-W"IW')
{%- endmacro %}

{# The ISO week key of a local date. #}
{% macro iso_week(day) -%}
    to_char({{ day }}, 'IYYY"-W"IW')
{%- endmacro %}

{# The first instant of the range that is built, in the organisation's zone. #}
{% macro range_start() -%}
    ({{ monday_of("'" ~ var('first_week') ~ "'") }}::timestamp at time zone '{{ var("time_zone") }}')
{%- endmacro %}

{# The first instant after the range that is built. #}
{% macro range_end() -%}
    (({{ monday_of("'" ~ var('last_week') ~ "'") }} + 7)::timestamp at time zone '{{ var("time_zone") }}')
{%- endmacro %}
