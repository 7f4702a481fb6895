{% test behaviour_adds_up(model) %}
select *
from {{ model }}
where
    sessions_with_intent > sessions_judged
    or next_step_judged > sessions_with_intent
    or has_next_step + no_next_step <> next_step_judged
    or good_judged > sessions_judged
{% endtest %}
