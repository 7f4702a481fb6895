{% test talks_equal_evaluated(model, period='week') %}
-- Counted anew from the tables, not from the view that the marts use.
{% set day = 'happened_week' if period == 'week' else 'happened_on' %}
with calls as (
    select
        {{ iso_week('business_on') if period == 'week' else 'business_on' }} as period,
        count(*) filter (where not is_internal and direction in ('in', 'out')) as calls,
        count(*) filter (where is_internal) as internal
    from {{ source('core', 'calls') }}
    where business_on between {{ first_day() }} and {{ last_day() }}
    group by 1
),

marked as (
    select distinct on (s.judge, s.subject_kind, s.subject_id)
        s.{{ day }} as period,
        s.judge,
        s.state,
        (
            select count(*) from {{ source('evaluated', 'scorecard_criteria') }} as c
            inner join {{ source('reference', 'criterion_gates') }} as g
                on
                    g.rubric_id = s.rubric_id and g.rubric_version = s.rubric_version and g.criterion = c.criterion
                    and g.prompt_hash = s.prompt_hash and g.model = s.model
            where
                c.scorecard_id = s.scorecard_id and g.state = 'counted'
                and (c.is_auto_fail or (c.given is not null and c.weight > 0))
        ) as admitted
    from {{ source('evaluated', 'scorecards') }} as s
    where s.is_current and {{ in_range('s.happened_week', 's.happened_on') }}
    order by s.judge, s.subject_kind, s.subject_id
),

scores as (
    select
        period,
        count(*) filter (where judge = 'model' and state = 'scored' and admitted > 0) as evaluated,
        count(*) filter (where judge = 'model' and state = 'unscored') as unscored
    from marked
    group by period
),

shown as (
    select
        {{ period }} as period,
        sum(calls_in + calls_out) as calls,
        sum(calls_internal) as internal,
        sum(llm_evaluated) as evaluated,
        sum(llm_unscored) as unscored
    from {{ model }}
    group by {{ period }}
)

select *
from shown as s
full join calls as c on s.period = c.period
full join scores as x on coalesce(s.period, c.period) = x.period
where
    coalesce(s.calls, 0) <> coalesce(c.calls, 0)
    or coalesce(s.internal, 0) <> coalesce(c.internal, 0)
    or coalesce(s.evaluated, 0) <> coalesce(x.evaluated, 0)
    or coalesce(s.unscored, 0) <> coalesce(x.unscored, 0)
{% endtest %}
