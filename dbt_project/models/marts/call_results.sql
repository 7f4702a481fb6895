-- One row per call of the range that was judged: by a model where it was, else by the rules.
with judged as (
    select distinct on (t.call_id) t.*
    from {{ source('evaluated', 'talk_scores') }} as t
    where t.subject_kind = 'call' and t.call_id is not null and {{ in_range('t.happened_week', 't.happened_on') }}
    order by t.call_id asc, (t.judge = 'model') desc, t.scorecard_id asc
)

select
    t.happened_week::text as week,
    ({{ monday_of('t.happened_week') }})::date as week_starts_on,
    t.call_id::text as call_id,
    t.happened_on::date as business_on,
    c.started_at::timestamptz as started_at,
    c.direction::text as direction,
    c.talk_seconds::integer as talk_seconds,
    coalesce({{ person_of('p', 't.manager_id') }}, 'none')::text as manager_key,
    ({{ person_of('p', 't.manager_id') }})::text as manager_id,
    (
        case
            when t.manager_id is null then 'Без менеджера'
            else coalesce(i.manager_name, p.person_name, t.manager_id)
        end
    )::text as manager_name,
    t.department_id::text as department_id,
    coalesce(d.name, t.department_id)::text as department_name,
    o.office_id::text as office_id,
    coalesce(f.name, o.office_id)::text as office_name,
    o.supervisor_id::text as supervisor_id,
    coalesce(v.name, o.supervisor_id)::text as supervisor_name,
    t.connection_id::text as connection_id,
    t.channel_id::text as channel_id,
    t.conversation_id::text as conversation_id,
    c.message_id::text as message_id,
    t.scorecard_id::text as scorecard_id,
    t.judge::text as judge,
    t.model::text as model,
    t.rubric_id::text as rubric_id,
    t.rubric_version::integer as rubric_version,
    t.state::text as state,
    t.reason::text as reason,
    (
        case
            when t.state <> 'scored' then null
            when t.judge = 'rules' then 'rules'
            when t.counted_score is not null then 'counted'
            when t.trial_score is not null then 'calibration'
            when t.final_score is not null then 'not_published'
        end
    )::text as score_state,
    (
        case
            when t.state <> 'scored' then null
            when t.judge = 'rules' then t.final_score
            else coalesce(t.counted_score, t.trial_score)
        end
    )::numeric as score,
    (t.state = 'scored' and t.is_auto_fail)::boolean as is_auto_fail,
    coalesce(m.marks, '[]')::jsonb as criteria,
    coalesce(m.marked, 0)::integer as criteria_marked,
    t.insufficient::integer as criteria_without_evidence,
    {{ var('definition_version') }}::integer as definition_version
from judged as t
inner join {{ source('core', 'calls') }} as c on t.call_id = c.call_id
left join {{ source('reference', 'people') }} as p on t.manager_id = p.manager_id
left join {{ ref('int_people') }} as i on {{ person_of('p', 't.manager_id') }} = i.manager_id
left join {{ source('reference', 'departments') }} as d on t.department_id = d.department_id
-- the entry in force on the day of the call; of one under the id and one under the login the later, at once that under the id
left join lateral (
    select r.office_id, r.supervisor_id
    from {{ source('reference', 'operators') }} as r
    where
        r.connection_id = c.connection_id
        and r.valid_from <= c.business_on
        and lower(trim(r.operator)) in (
            lower(substr(c.operator_id, length(c.connection_id) + 2)), lower(c.operator_id), lower(trim(c.operator_login))
        )
    order by r.valid_from desc, (lower(trim(r.operator)) = lower(trim(c.operator_login))) asc nulls first
    limit 1
) as o on true
left join {{ source('reference', 'offices') }} as f on o.office_id = f.office_id
left join {{ source('reference', 'supervisors') }} as v on o.supervisor_id = v.supervisor_id
left join lateral (
    select
        count(s.given) as marked,
        jsonb_agg(
            jsonb_build_object(
                'criterion', s.criterion, 'weight', s.weight, 'best', s.best, 'given', s.given,
                'not_given', s.not_given, 'is_auto_fail', s.is_auto_fail, 'quote_state', s.quote_state,
                'gate', case when t.judge = 'model' then coalesce(g.state, 'calibration') else 'rules' end
            )
            order by s.position, s.criterion
        ) as marks
    from {{ source('evaluated', 'scorecard_criteria') }} as s
    left join {{ source('reference', 'criterion_gates') }} as g
        on
            s.criterion = g.criterion and g.rubric_id = t.rubric_id and g.rubric_version = t.rubric_version
            and g.prompt_hash = t.prompt_hash and g.model = t.model
    where s.scorecard_id = t.scorecard_id
) as m on true
