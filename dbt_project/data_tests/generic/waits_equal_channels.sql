{% test waits_equal_channels(model, channels, period='week') %}
{%- set sums %}
        {{ period }} as period,
        sum(waits_settled) as waits,
        sum(no_reply) as no_reply,
        sum(missed_calls_settled) as missed_calls
{%- endset %}
with managers as (
    select {{ sums }}
    from {{ model }}
    group by {{ period }}
),

channels as (
    select {{ sums }}
    from {{ channels }}
    group by {{ period }}
)

select *
from managers as m
full join channels as c on m.period = c.period
where
    coalesce(m.waits, 0) <> coalesce(c.waits, 0)
    or coalesce(m.no_reply, 0) <> coalesce(c.no_reply, 0)
    or coalesce(m.missed_calls, 0) <> coalesce(c.missed_calls, 0)
{% endtest %}
