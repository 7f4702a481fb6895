{% test spend_equals_ledger(model) %}
with paid as (
    select
        paid_on,
        count(*) as calls,
        sum(prompt_tokens) as prompt_tokens,
        sum(completion_tokens) as completion_tokens,
        sum(case when state = 'settled' then coalesce(cost_microusd, 0) else reserved_microusd end) as microusd
    from {{ source('ops', 'llm_calls') }}
    where paid_on between {{ first_day() }} and {{ last_day() }}
    group by paid_on
),

shown as (
    select
        business_on,
        sum(calls) as calls,
        sum(prompt_tokens) as prompt_tokens,
        sum(completion_tokens) as completion_tokens,
        sum(cost_microusd + lost_microusd + unsettled_microusd) as microusd
    from {{ model }}
    group by business_on
)

select *
from paid as p
full join shown as s on p.paid_on = s.business_on
where
    (p.calls, p.prompt_tokens, p.completion_tokens, p.microusd)
    is distinct from (s.calls, s.prompt_tokens, s.completion_tokens, s.microusd)
{% endtest %}
