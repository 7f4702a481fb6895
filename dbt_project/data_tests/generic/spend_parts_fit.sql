{% test spend_parts_fit(model) %}
select *
from {{ model }}
where
    calls_ok + calls_lost + calls_unsettled > calls
    or calls_without_tokens > calls
    or least(calls, cost_microusd, lost_microusd, unsettled_microusd, prompt_tokens, completion_tokens) < 0
    or (calls_lost = 0 and lost_microusd > 0)
    or (calls_unsettled = 0 and unsettled_microusd > 0)
{% endtest %}
