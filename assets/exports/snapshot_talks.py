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
