{% test call_scores_are_named(model) %}
select *
from {{ model }}
where
    (score is not null and (state <> 'scored' or score_state not in ('counted', 'calibration', 'rules')))
    or score not between 0 and 100
    or (score is null and score_state in ('counted', 'calibration'))
    or (judge = 'rules' and score_state in ('counted', 'calibration', 'not_published'))
    or criteria_marked > jsonb_array_length(criteria)
{% endtest %}
