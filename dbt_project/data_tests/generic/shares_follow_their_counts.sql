{% test shares_follow_their_counts(model) %}
-- Written as products, so that this test divides nowhere and cannot repeat a mistake of the macro `share`.
{% set shares = [
    ('in_target_share', 'in_target', 'waits_settled'),
    ('slow_reply_share', 'slow_reply', 'waits_settled'),
    ('no_reply_share', 'unanswered', 'waits_settled'),
    ('missed_calls_in_target_share', 'missed_calls_in_target', 'missed_calls_settled'),
    ('asked_clarifying_share', 'asked_clarifying', 'sessions_with_intent'),
    ('made_offer_share', 'made_offer', 'sessions_with_intent'),
    ('has_next_step_share', 'has_next_step', 'next_step_judged'),
    ('no_next_step_share', 'no_next_step', 'next_step_judged'),
    ('good_share', 'good', 'good_judged'),
] %}
select *
from {{ model }}
where
    {%- for share, hits, eligible in shares %}
    {{ hits }} > {{ eligible }}
    or ({{ share }} is null) <> ({{ eligible }} = 0)
    or abs({{ share }} * {{ eligible }} - {{ hits }}) > 0.000001 * {{ eligible }}
    {%- if not loop.last %} or{% endif %}
    {%- endfor %}
{% endtest %}
