{#
  The range of local days that is built. It comes with the session (`otklik.first_day`, `otklik.last_day`, set by
  assets/marts/dbt.py through PGOPTIONS) and not as a variable: other variables make dbt parse the whole project anew,
  6 to 10 CPU seconds a run. Everything else asks these macros.
#}
{% macro first_day() -%}
    current_setting('otklik.first_day')::date
{%- endmacro %}

{% macro last_day() -%}
    current_setting('otklik.last_day')::date
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

{# Whether a channel is switched on, itself and with its account (stg_ops__connections), at an instant. #}
{% macro is_on(channel, account, at) -%}
    {{ channel }}.is_active and ({{ account }}.disabled_at is null or {{ account }}.disabled_at >= {{ at }})
{%- endmacro %}
