{% test scores_follow_their_counts(model) %}
{% set scores = ['llm', 'calls_llm', 'chats_llm', 'calibration', 'calls_calibration', 'chats_calibration', 'rules', 'calls_rules', 'chats_rules'] %}
select *
from {{ model }}
where
    {%- for score in scores %}
    ({{ score }}_score_avg is null) <> ({{ score }}_evaluated = 0)
    or {{ score }}_score_avg not between 0 and 100
    or
    {%- endfor %}
    calls_llm_evaluated + chats_llm_evaluated <> llm_evaluated
    or calls_calibration_evaluated + chats_calibration_evaluated <> calibration_evaluated
    or calls_rules_evaluated + chats_rules_evaluated <> rules_evaluated
    or (llm_state = 'counted') is distinct from (case when llm_state is null then null else llm_evaluated > 0 end)
    or (llm_state is null and (llm_evaluated > 0 or calibration_evaluated > 0))
    or auto_fail > llm_evaluated
    or (auto_fail_share is null) <> (llm_evaluated = 0)
    or abs(auto_fail_share * llm_evaluated - auto_fail) > 0.000001 * llm_evaluated
    or llm_insufficient > llm_criteria
    or (llm_insufficient_share is null) <> (llm_criteria = 0)
    or abs(llm_insufficient_share * llm_criteria - llm_insufficient) > 0.000001 * llm_criteria
    or calls_short > calls_answered
{% endtest %}
