{% test waits_equal_evaluated(model, period='week') %}
{% set settled = 'settled_week' if period == 'week' else 'settled_on' %}
with judged as (
    select
        {{ settled }} as period,
        count(*) filter (where wait_kind = 'message') as waits,
        count(*) filter (where wait_kind = 'missed_call') as missed_calls
    from {{ source('evaluated', 'waits') }}
    where
        outcome in ('in_target', 'slow_reply', 'no_reply', 'window_expired')
        and {{ in_range('settled_week', 'settled_on') }}
    group by {{ settled }}
),

shown as (
    select
        {{ period }} as period,
        sum(waits_settled) as waits,
        sum(missed_calls_settled) as missed_calls
    from {{ model }}
    group by {{ period }}
)

select *
from judged as j
full join shown as s on j.period = s.period
where
    coalesce(j.waits, 0) <> coalesce(s.waits, 0)
    or coalesce(j.missed_calls, 0) <> coalesce(s.missed_calls, 0)
{% endtest %}
