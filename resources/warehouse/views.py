"""The masked views, the views under names that people know, and the comments in the database.

Here: statements that name what exists and may be repeated at any time; ``Warehouse.migrate`` runs them after every
migration. Not here: who may read the views (``resources.warehouse.roles``).

The masked views belong to the owner and hold no personal data, so that their reader needs no right on the tables below
them. The others are ``security_invoker``: who reads them must be allowed to read the tables.
"""

from __future__ import annotations

import hashlib
from typing import Any

from psycopg import Connection, sql

VIEWS = {
    "core.messages_masked": (
        "select conversation_id, message_id, connection_id, sent_at, source_seq, direction, sender_kind, manager_id,"
        " is_public, delivery_status, content_kind, length(text) as text_characters, edited_at, deleted_at,"
        " call_answered, talk_seconds, flags, business_on from core.messages",
        "core.messages without what was written and without the customer",
    ),
    "core.conversations_masked": (
        "select conversation_id, connection_id, channel_id, created_at, is_untimed, flags from core.conversations",
        "core.conversations without the customer",
    ),
    "core.quarantine_masked": (
        "select connection_id, stream, reason, event_at, items from core.quarantine",
        "core.quarantine without the address of the row",
    ),
    "evaluated.waits_masked": (
        "select wait_id, conversation_id, session_id, wait_kind, opening_message_id, answering_message_id,"
        " asking_message_ids, opened_at, last_asking_at, answered_at, answered_after_limit_at, settled_at, outcome,"
        " outcome_manager, reply_kind, owner_manager_id, reply_manager_id, wait_seconds, wait_business_seconds,"
        " manager_wait_seconds, manager_wait_business_seconds, pending_seconds, handoff_at, target_seconds,"
        " limit_seconds, is_first_reply, calendar_id, hours_basis, connection_id, channel_id, settled_on, settled_week,"
        " definition_version, policy_hash from evaluated.waits",
        "evaluated.waits without the customer: what a figure of the marts was counted from",
    ),
    "core.calls_masked": (
        "select call_id, connection_id, communication_id, conversation_id, message_id, channel_id, operator_id,"
        " agent_group, direction, started_at, ended_at, talk_seconds, is_answered, is_internal, flags, business_on"
        " from core.calls",
        "core.calls without the customer",
    ),
    "evaluated.scorecards_masked": (
        "select scorecard_id, subject_kind, subject_id, call_id, judge, state, reason, is_current, final_score,"
        " raw_score, is_auto_fail, sentiment, flags, rubric_id, rubric_version, prompt_id, prompt_hash, model,"
        " department_id, manager_id, conversation_id, connection_id, channel_id, happened_at, happened_on,"
        " happened_week, scored_at from evaluated.scorecards",
        "evaluated.scorecards without the customer and without what was said",
    ),
}
_NOTES = (
    "select s.call_id, s.judge, s.department_id, s.manager_id as operator_id, s.happened_on, n.n, n.text, n.code,"
    " n.due_on, n.quote, n.quote_state from evaluated.scorecard_notes as n join evaluated.scorecards as s"
    " using (scorecard_id) where s.subject_kind = 'call' and s.is_current and n.kind = "
)


def _score(gate: str) -> str:
    """The contract's score (section 6) over the criteria that a gate admits; 0 where one of them fails the talk."""
    return (
        (
            "round(case when FAILS then 0 else 100 * sum(c.weight * c.given::numeric / c.best) filter (where MARKED)"
            " / nullif(sum(c.weight) filter (where MARKED), 0) end, 6)"
        )
        .replace("FAILS", _fails(gate))
        .replace("MARKED", f"c.given is not null and {gate}")
    )


def _fails(gate: str) -> str:
    return f"coalesce(bool_or(c.is_auto_fail) filter (where {gate}), false)"


_COUNTED, _SHOWN = "g.state = 'counted'", "coalesce(g.state, 'calibration') <> 'not_published'"
_TALK_SCORES = (
    "select s.scorecard_id, s.subject_kind, s.subject_id, s.call_id, s.judge, s.state, s.reason, s.rubric_id,"
    " s.rubric_version, s.prompt_hash, s.model, s.department_id, s.manager_id, s.conversation_id, s.connection_id,"
    " s.channel_id, s.happened_at, s.happened_on, s.happened_week, s.final_score, s.is_auto_fail, m.criteria,"
    " m.insufficient, m.counted_criteria, m.counted_score, m.has_counted_fail, m.trial_score,"
    " case when s.call_id is null then coalesce(m.refs, '{}') else array_remove(array[k.message_id], null) end"
    " as message_ids"
    " from evaluated.scorecards as s left join core.calls as k on s.call_id = k.call_id"
    " cross join lateral (select count(*) as criteria,"
    " array_agg(distinct c.ref order by c.ref) filter (where c.quote_state = 'verified' and c.ref is not null) as refs,"
    " count(*) filter (where c.not_given = 'insufficient_evidence') as insufficient,"
    " coalesce(array_agg(c.criterion order by c.criterion) filter (where COUNTED), '{}') as counted_criteria,"
    " SCORE_OF_COUNTED as counted_score, FAILS_OF_COUNTED as has_counted_fail, SCORE_OF_SHOWN as trial_score"
    " from evaluated.scorecard_criteria as c left join reference.criterion_gates as g"
    " on s.judge = 'model' and g.rubric_id = s.rubric_id and g.rubric_version = s.rubric_version"
    " and g.criterion = c.criterion and g.prompt_hash = s.prompt_hash and g.model = s.model"
    " where c.scorecard_id = s.scorecard_id and s.state = 'scored') as m where s.is_current"
)
for _name, _sql in (
    ("SCORE_OF_COUNTED", _score(_COUNTED)),
    ("FAILS_OF_COUNTED", _fails(_COUNTED)),
    ("SCORE_OF_SHOWN", _score(_SHOWN)),
    ("COUNTED", _COUNTED),
):
    _TALK_SCORES = _TALK_SCORES.replace(_name, _sql)
_BEHAVIOUR = (
    "session_id", "conversation_id", "ended_at", "manager_id", "human_replies", "has_intent", "asked_clarifying",
    "made_offer", "has_next_step", "is_good", "is_good_customer", "next_step_not_judged", "not_good",
    "not_good_customer", "intent_message_ids", "clarifying_message_ids", "offer_message_ids", "next_step_message_ids",
    "refusal_message_ids", "paid_message_ids", "good_score_at_least", "lexicon_hash", "connection_id", "channel_id",
    "customer_id", "ended_on", "ended_week", "definition_version", "policy_hash",
)  # fmt: skip
_SAID_ANEW = {
    name: said.replace("GOOD", name)
    for name, said in {
        "is_good": "case when b.GOOD then f.fault is null else b.GOOD end as GOOD",
        "is_good_customer": "case when b.GOOD then f.fault is null else b.GOOD end as GOOD",
        "not_good": "case when b.is_good is null then b.GOOD else array_remove(b.GOOD || f.fault, null) end as GOOD",
        "not_good_customer": "case when b.is_good_customer is null then b.GOOD"
        " else array_remove(b.GOOD || f.fault, null) end as GOOD",
    }.items()
}
# "no auto-fail" (contract, section 5): an admitted one of the model; rules were never measured against people (10)
_JUDGED_SESSIONS = (
    "select COLUMNS, t.counted_score from evaluated.behaviour as b left join lateral (SCORES and s.judge = 'model'"
    " and s.subject_kind = 'session' and s.subject_id = b.session_id and m.counted_score is not null"
    # one look-up for each session: never the scores of all that were ever judged
    " order by s.scorecard_id limit 1) as t on true"
    " cross join lateral (select case when t.has_counted_fail then 'auto_fail'"
    " when t.counted_score < b.good_score_at_least then 'low_score' end as fault) as f"
)
_JUDGED_SESSIONS = _JUDGED_SESSIONS.replace(
    "COLUMNS", ", ".join(_SAID_ANEW.get(name, f"b.{name}") for name in _BEHAVIOUR)
).replace("SCORES", _TALK_SCORES)
CONTENT_VIEWS = {
    "evaluated.talk_scores": (
        _TALK_SCORES,
        "The current scorecard of each call and session by each judge: counted_score over the criteria that are"
        " admitted to a manager's score (contract, section 10), trial_score over all that may be shown; both empty"
        " where no such criterion has a mark",
    ),
    "evaluated.judged_sessions": (
        _JUDGED_SESSIONS,
        "The judged sessions as figures count them: good ones also by the model's score, where one counts (contract,"
        " sections 5 and 10): counted_score, which is 0 after an automatic fail. A fail by rules has no say: nobody has"
        " measured them against people (docs/marts.md)",
    ),
    "evaluated.call_evaluations": (
        "select s.call_id, s.judge, s.state, s.reason, s.final_score, s.raw_score, s.is_auto_fail, s.summary, s.topic,"
        " s.sentiment, s.flags, s.rubric_id, s.rubric_version, s.prompt_id, s.model, s.department_id,"
        " s.manager_id as operator_id, s.happened_on, c.criterion, c.position, c.weight, c.best, c.given, c.not_given,"
        " c.is_auto_fail as criterion_fails_all, c.reason as criterion_reason, c.quote, c.quote_state, c.speaker"
        " from evaluated.scorecards as s left join evaluated.scorecard_criteria as c using (scorecard_id)"
        " where s.subject_kind = 'call' and s.is_current",
        "The current scorecards of calls, a row per criterion",
    ),
    "evaluated.call_recommendations": (_NOTES + "'recommendation'", "What the judge recommends after a call"),
    "evaluated.agreements": (_NOTES + "'agreement'", "What was agreed in calls"),
    "evaluated.call_decline_reasons": (_NOTES + "'decline_reason'", "Why customers declined in calls"),
}
"""The scores that the marts count, and the tables of scorecards under the names that users of the call analysis
know."""


def create_views(connection: Connection[Any]) -> None:
    """Bring the masked views up to date; a view whose columns changed is made anew."""
    for name, (select, comment) in {**VIEWS, **CONTENT_VIEWS}.items():
        stored = connection.execute("select obj_description(to_regclass(%s))", (name,)).fetchone()
        wanted = f"{comment}. {_fingerprint(select)}"
        if stored is not None and stored[0] == wanted:
            continue
        view = sql.Identifier(*name.split("."))
        connection.execute(sql.SQL("drop view if exists {}").format(view))
        how = sql.SQL("with (security_invoker = true)" if name in CONTENT_VIEWS else "")
        connection.execute(sql.SQL("create view {} {} as ").format(view, how) + sql.SQL(select))  # type: ignore[arg-type]
        connection.execute(sql.SQL("comment on view {} is {}").format(view, sql.Literal(wanted)))


def describe(connection: Connection[Any]) -> None:
    """Write the comments of ``schema.metadata`` into the database where they differ."""
    from resources.warehouse.schema import SCHEMAS, metadata

    stored = {
        (schema, table, column): comment
        for schema, table, column, comment in connection.execute(
            "select n.nspname, c.relname, a.attname, d.description from pg_description d"
            " join pg_class c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass"
            " join pg_namespace n on n.oid = c.relnamespace"
            " left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0"
            " where n.nspname = any(%s)",
            (list(SCHEMAS),),
        )
    }
    for schema, comment in SCHEMAS.items():
        connection.execute(sql.SQL("comment on schema {} is {}").format(sql.Identifier(schema), sql.Literal(comment)))
    for table in metadata.tables.values():
        assert table.schema is not None
        if stored.get((table.schema, table.name, None)) != table.comment:
            target = sql.Identifier(table.schema, table.name)
            connection.execute(sql.SQL("comment on table {} is {}").format(target, sql.Literal(table.comment)))
        for column in table.columns:
            if stored.get((table.schema, table.name, column.name)) != column.comment:
                target = sql.Identifier(table.schema, table.name, column.name)
                connection.execute(sql.SQL("comment on column {} is {}").format(target, sql.Literal(column.comment)))


def _fingerprint(select: str) -> str:
    return f"Definition {hashlib.sha256(select.encode()).hexdigest()[:12]}"
