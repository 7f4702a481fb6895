"""Statements about calls and scores: whether there are any, and the judged calls of the lists.

Here: what is read. Not here: when (``snapshot``), what people see of it (``talks``). Scores are read as they stand in
the marts; the words behind them come from evaluated, since the marts hold none.
"""

from __future__ import annotations

HAS_TALKS = """
select exists (
    select from marts.manager_week
    where coalesce(calls_in, 0) + coalesce(calls_out, 0) + coalesce(calls_internal, 0) > 0
        or llm_state is not null or coalesce(llm_unscored, 0) > 0 or coalesce(rules_evaluated, 0) > 0
) or exists (select from marts.call_results)
"""
"""Over all weeks that were ever published: what is shown does not go away again."""
OF_CUSTOMERS = """(
    {kind} <> 'internal'
    or not exists (select from marts.channel_week as o where o.week = {week} and o.channel_kind <> 'internal')
)"""
"""Whether customers are behind a channel of this kind, or the week has no other.

Calls among colleagues are in a channel without customers: it has no question, no chat and no share by its nature. The
marts keep it, since each call is in one channel; people do not look for it among the channels that customers write to
and call. Its calls are in the tables of managers.
"""
DEPARTMENTS = """
    select distinct on (coalesce(p.person_id, c.operator_id))
        coalesce(p.person_id, c.operator_id) as manager_id, coalesce(d.name, e.department_id) as department_name
    from core.calls as c
    inner join evaluated.call_eligibility as e on c.call_id = e.call_id
    left join reference.people as p on c.operator_id = p.manager_id
    left join reference.departments as d on e.department_id = d.department_id
    where e.department_id is not null and c.business_on between %(sunday)s::date - 6 and %(sunday)s::date
    order by coalesce(p.person_id, c.operator_id), c.started_at desc, c.call_id
"""
"""The department of each person's last call of the newest week, by the directory of operators on that day."""
RESULTS = """
select
    r.*,
    r.started_at at time zone %(zone)s as began,
    case when m.deleted_at is null then s.topic end as topic,
    case when m.deleted_at is null then s.summary end as summary,
    (
        select jsonb_agg(
            jsonb_build_object(
                'criterion', c.criterion, 'reason', c.reason,
                'quote', case when c.quote_state = 'verified' then c.quote end
            )
            order by c.position, c.criterion
        )
        from evaluated.scorecard_criteria as c
        where c.scorecard_id = r.scorecard_id and m.deleted_at is null
    ) as proofs,
    (
        select jsonb_agg(jsonb_build_object('kind', n.kind, 'text', n.text) order by n.kind, n.n)
        from evaluated.scorecard_notes as n
        where n.scorecard_id = r.scorecard_id and m.deleted_at is null
    ) as notes,
    (
        select string_agg(distinct v.answered_by, ', ' order by v.answered_by)
        from evaluated.evaluations as v
        where v.evaluation_key = any(s.evaluation_keys)
    ) as answered_by,
    b.titles
from marts.call_results as r
left join evaluated.scorecards as s on r.scorecard_id = s.scorecard_id
left join core.messages as m on r.conversation_id = m.conversation_id and r.message_id = m.message_id
left join (
    select k.rubric_id, k.version, jsonb_object_agg(one ->> 'code', one ->> 'title') as titles
    from reference.rubrics as k
    cross join jsonb_array_elements(k.criteria) as one
    group by k.rubric_id, k.version
) as b on r.rubric_id = b.rubric_id and r.rubric_version = b.version
where r.week = any(%(raw_weeks)s)
order by r.started_at desc, r.call_id
limit %(rows)s
"""
RESULTS_BY_WEEK = "select week, count(*) from marts.call_results where week = any(%(raw_weeks)s) group by week"
