{% test waits_equal_channels(model) %}
with managers as (
    select week, sum(waits_settled) as waits, sum(no_reply) as no_reply, sum(missed_calls_settled) as missed_calls
    from {{ model }}
    group by week
),

channels as (
    select week, sum(waits_settled) as waits, sum(no_reply) as no_reply, sum(missed_calls_settled) as missed_calls
    from {{ ref('channel_week') }}
    group by week
)

select *
from managers as m
full join channels as c on m.week = c.week
where
    coalesce(m.waits, 0) <> coalesce(c.waits, 0)
    or coalesce(m.no_reply, 0) <> coalesce(c.no_reply, 0)
    or coalesce(m.missed_calls, 0) <> coalesce(c.missed_calls, 0)
{% endtest %}
