{% test outcomes_add_up(model) %}
select *
from {{ model }}
where
    in_target + slow_reply + no_reply + window_expired <> waits_settled
    or missed_calls_in_target + missed_calls_slow_reply + missed_calls_no_reply + missed_calls_window_expired
    <> missed_calls_settled
    or unanswered <> no_reply + window_expired
    or answered <> in_target + slow_reply
    or first_replies > answered
{% endtest %}
