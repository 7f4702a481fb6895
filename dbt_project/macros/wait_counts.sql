{#
  The wait figures of one group of waits, the same for managers and channels except for the view: `outcome` with
  `seconds` of the customer's view, or `outcome_manager` with those of the manager's (contract, section 4.5).
  Kinds of wait are counted side by side, never together (section 4.6).
#}
{% macro wait_counts(outcome, seconds, business_seconds) %}
    {%- set message = "wait_kind = 'message'" -%}
    {%- set call = "wait_kind = 'missed_call'" -%}
    {%- set answered = message ~ " and " ~ outcome ~ " in ('in_target', 'slow_reply')" -%}
    {%- set first = answered ~ " and is_first_reply" %}
    count(*) filter (
        where {{ message }} and {{ outcome }} in ('in_target', 'slow_reply', 'no_reply', 'window_expired')
    ) as waits_settled,
    {%- for name in ['in_target', 'slow_reply', 'no_reply', 'window_expired', 'not_required'] %}
    count(*) filter (where {{ message }} and {{ outcome }} = '{{ name }}') as {{ name }},
    {%- endfor %}
    count(*) filter (where {{ message }} and {{ outcome }} in ('no_reply', 'window_expired')) as unanswered,
    count(*) filter (where {{ answered }}) as answered,
    {{ percentile(0.5, business_seconds, answered) }} as reply_p50_business_seconds,
    {{ percentile(0.9, business_seconds, answered) }} as reply_p90_business_seconds,
    {{ percentile(0.5, seconds, answered) }} as reply_p50_seconds,
    {{ percentile(0.9, seconds, answered) }} as reply_p90_seconds,
    count(*) filter (where {{ first }}) as first_replies,
    {{ percentile(0.5, business_seconds, first) }} as first_reply_p50_business_seconds,
    {{ percentile(0.9, business_seconds, first) }} as first_reply_p90_business_seconds,
    {{ percentile(0.5, seconds, first) }} as first_reply_p50_seconds,
    {{ percentile(0.9, seconds, first) }} as first_reply_p90_seconds,
    count(*) filter (
        where {{ call }} and {{ outcome }} in ('in_target', 'slow_reply', 'no_reply', 'window_expired')
    ) as missed_calls_settled,
    {%- for name in ['in_target', 'slow_reply', 'no_reply', 'window_expired'] %}
    count(*) filter (where {{ call }} and {{ outcome }} = '{{ name }}') as missed_calls_{{ name }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
{% endmacro %}

{# The columns of wait_counts as a mart shows them: no group is NULL, a count of nothing is zero, a share of nothing NULL. #}
{% macro wait_columns(t) %}
    {%- for name in ['waits_settled', 'in_target', 'slow_reply', 'no_reply', 'window_expired', 'unanswered', 'not_required'] %}
    coalesce({{ t }}.{{ name }}, 0) as {{ name }},
    {%- endfor %}
    {{ share(t ~ '.in_target', t ~ '.waits_settled') }} as in_target_share,
    {{ share(t ~ '.slow_reply', t ~ '.waits_settled') }} as slow_reply_share,
    {{ share(t ~ '.unanswered', t ~ '.waits_settled') }} as no_reply_share,
    coalesce({{ t }}.answered, 0) as answered,
    {{ t }}.reply_p50_business_seconds,
    {{ t }}.reply_p90_business_seconds,
    {{ t }}.reply_p50_seconds,
    {{ t }}.reply_p90_seconds,
    coalesce({{ t }}.first_replies, 0) as first_replies,
    {{ t }}.first_reply_p50_business_seconds,
    {{ t }}.first_reply_p90_business_seconds,
    {{ t }}.first_reply_p50_seconds,
    {{ t }}.first_reply_p90_seconds,
    {%- for name in ['settled', 'in_target', 'slow_reply', 'no_reply', 'window_expired'] %}
    coalesce({{ t }}.missed_calls_{{ name }}, 0) as missed_calls_{{ name }},
    {%- endfor %}
    {{ share(t ~ '.missed_calls_in_target', t ~ '.missed_calls_settled') }} as missed_calls_in_target_share
{% endmacro %}
