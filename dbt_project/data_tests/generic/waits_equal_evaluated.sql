{% test waits_equal_evaluated(model) %}
with judged as (
    select
        settled_week as week,
        count(*) filter (where wait_kind = 'message') as waits,
        count(*) filter (where wait_kind = 'missed_call') as missed_calls
    from {{ source('evaluated', 'waits') }}
    where
        outcome in ('in_target', 'slow_reply', 'no_reply', 'window_expired')
        and settled_week between '{{ var("first_week") }}' and '{{ var("last_week") }}'
    group by settled_week
),

shown as (
    select
        week,
        sum(waits_settled) as waits,
        sum(missed_calls_settled) as missed_calls
    from {{ model }}
    group by week
)

select *
from judged as j
full join shown as s on j.week = s.week
where
    coalesce(j.waits, 0) <> coalesce(s.waits, 0)
    or coalesce(j.missed_calls, 0) <> coalesce(s.missed_calls, 0)
{% endtest %}
