{% test behaviour_equals_evaluated(model, period='week', good='is_good') %}
{% set day = 'ended_week' if period == 'week' else 'ended_on' %}
with judged as (
    select
        {{ day }} as period,
        count(*) as judged,
        sum({{ good }}::int) as good,
        sum(has_next_step::int) as next_steps
    from {{ source('evaluated', 'judged_sessions') }}
    where {{ in_range('ended_week', 'ended_on') }}
    group by {{ day }}
),

shown as (
    select
        {{ period }} as period,
        sum(sessions_judged) as judged,
        sum(good) as good,
        sum(has_next_step) as next_steps
    from {{ model }}
    group by {{ period }}
)

select *
from judged as j
full join shown as s on j.period = s.period
where
    coalesce(j.judged, 0) <> coalesce(s.judged, 0)
    or coalesce(j.good, 0) <> coalesce(s.good, 0)
    or coalesce(j.next_steps, 0) <> coalesce(s.next_steps, 0)
{% endtest %}
