{#
  The behaviour figures of one group of judged sessions (contract, section 5): each hit beside what it is a share of.
  A judgement of NULL means that the session was not eligible, so it is in neither. `good`: is_good in the manager's view, is_good_customer in the customer's.
#}
{% macro behaviour_counts(good='is_good') %}
    count(*) as sessions_judged,
    count(*) filter (where has_intent) as sessions_with_intent,
    count(*) filter (where has_intent and asked_clarifying) as asked_clarifying,
    count(*) filter (where has_intent and made_offer) as made_offer,
    count(has_next_step) as next_step_judged,
    count(*) filter (where has_next_step) as has_next_step,
    count(*) filter (where not has_next_step) as no_next_step,
    count({{ good }}) as good_judged,
    count(*) filter (where {{ good }}) as good
{% endmacro %}

{# The columns of behaviour_counts as a mart shows them. #}
{% macro behaviour_columns(t) %}
    coalesce({{ t }}.sessions_judged, 0) as sessions_judged,
    coalesce({{ t }}.sessions_with_intent, 0) as sessions_with_intent,
    {%- for name in ['asked_clarifying', 'made_offer'] %}
    coalesce({{ t }}.{{ name }}, 0) as {{ name }},
    {{ share(t ~ '.' ~ name, t ~ '.sessions_with_intent') }} as {{ name }}_share,
    {%- endfor %}
    coalesce({{ t }}.next_step_judged, 0) as next_step_judged,
    {%- for name in ['has_next_step', 'no_next_step'] %}
    coalesce({{ t }}.{{ name }}, 0) as {{ name }},
    {{ share(t ~ '.' ~ name, t ~ '.next_step_judged') }} as {{ name }}_share,
    {%- endfor %}
    coalesce({{ t }}.good_judged, 0) as good_judged,
    coalesce({{ t }}.good, 0) as good,
    {{ share(t ~ '.good', t ~ '.good_judged') }} as good_share
{% endmacro %}
