"""Scorecards on their way into the tables: written by key, rows that say the same are not touched.

Here: ``evaluated.scorecards`` with criteria and notes, and which card of a subject is current. Not here: how a card
comes about (``conversations.scoring.scorecard``), in which session it is written (``group``).

A subject has at most one current card of each judge. A card without a verdict (nobody answered, no valid answer) never
takes the place of one with a verdict: the last good one stays, and the next run tries again. A judge whose claims could
not be proved has given a verdict, if one without a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg import sql

from conversations.scoring.eligible import WhyNot
from conversations.scoring.shapes import CriterionResult, NoteResult, Scorecard
from resources.scoring.subjects import HAS_WORDS, Chosen, Subject
from resources.warehouse.failpoints import fail_point
from resources.warehouse.schema import metadata
from resources.warehouse.stale_quotes import WORDS_CHANGED

_CARDS, _CRITERIA, _NOTES = (
    tuple(metadata.tables[f"evaluated.{name}"].columns.keys())
    for name in ("scorecards", "scorecard_criteria", "scorecard_notes")
)
_WHO = ("scorecard_id", "subject_kind", "subject_id", "judge")
_CRITERIA_KEY, _NOTES_KEY = ("scorecard_id", "criterion"), ("scorecard_id", "kind", "n")


_VERDICTS = """
select
    c.subject_kind, c.subject_id, c.judge, c.evaluation_keys <> '{}' as is_paid, c.rubric_id, c.rubric_version,
    c.transcript_hash
from evaluated.scorecards as c
where
    c.subject_id = any(%s) and c.is_current
    and (
        c.state <> 'unscored'
        or exists (select from evaluated.scorecard_criteria as k where k.scorecard_id = c.scorecard_id)
    )
"""

_NO_TALK: tuple[WhyNot, ...] = ("internal", "missed", "short", "unknown_operator", "no_department")
"""Reasons of the call itself. A transcript that is awaited once more is none of them."""
_FORGET = f"""
delete from evaluated.scorecards as c
where
    (c.happened_on between %(first)s and %(last)s or c.reason = '{WORDS_CHANGED}' and %(with_awaited)s)
    and case c.subject_kind
        when 'session' then not exists (
            select from evaluated.behaviour as b where b.session_id = c.subject_id and {HAS_WORDS}
        )
        else exists (
            select from evaluated.call_eligibility as e where e.call_id = c.call_id and e.why_not = any(%(reasons)s)
        )
    end
"""  # noqa: S608

_LOCKED = """
select from evaluated.scorecards as c
where (c.subject_id, c.judge) in (select s.one, s.judge from unnest(%s::text[], %s::text[]) as s(one, judge))
order by c.scorecard_id
for update of c
"""
"""In the order of a load that removes cards (``stale_quotes``): neither waits for the other in a circle."""


class Judged(NamedTuple):
    """A card and what it was judged by."""

    subject: Subject
    card: Scorecard
    rubric_version: int
    prompt_hash: str | None
    """``None``: judged by rules."""
    model: str | None
    """The model that was asked first; ``None``: judged by rules."""
    evaluation_keys: tuple[str, ...]
    transcript_hash: str


class Current(NamedTuple):
    """The current verdict on a subject by a model."""

    rubric_id: str
    rubric_version: int
    transcript_hash: str


def current_cards(connection: psycopg.Connection[Any], subjects: Iterable[Subject]) -> dict[tuple[str, str], Current]:
    """What the model's verdicts on the subjects are by now, by kind and id of the subject.

    That there is no talk to judge, as rules saw without asking, is no verdict of a model: rules may see better now.
    """
    rows = connection.execute(_VERDICTS, [[one.subject_id for one in subjects]])
    return {
        (kind, subject_id): Current(*rest)
        for kind, subject_id, judge, is_paid, *rest in rows.fetchall()
        if judge == "model" and is_paid
    }


def write_cards(connection: psycopg.Connection[Any], judged: Sequence[Judged], at: datetime) -> int:
    """Write cards within the session's transaction; returns how many rows of ``scorecards`` are new or different.

    Of several cards of one subject and judge the last counts. A subject that is gone meanwhile gets no card.
    """
    latest = {scorecard_id(one): one for one in judged}
    rows = [_card_row(key, latest[key], at) for key in _without_worse(connection, latest)]
    if not rows:
        return 0
    kept = [row["scorecard_id"] for row in rows]
    changed = _upsert(connection, "scorecards", _CARDS, ("scorecard_id",), _json(rows), untouched=("scored_at",))
    connection.execute(
        "update evaluated.scorecards as t set is_current = false"
        " from jsonb_to_recordset(%s) as s(scorecard_id text, subject_kind text, subject_id text, judge text)"
        " where t.subject_id = s.subject_id and t.subject_kind = s.subject_kind and t.judge = s.judge"
        " and t.is_current and t.scorecard_id <> s.scorecard_id",
        [
            _json(
                [{name: row[name] for name in ("scorecard_id", "subject_kind", "subject_id", "judge")} for row in rows]
            )
        ],
    )
    criteria = [
        _criterion_row(key, place, result) for key in kept for place, result in enumerate(latest[key].card.criteria, 1)
    ]
    notes = [_note_row(key, note) for key in kept for note in latest[key].card.notes]
    _replace(connection, "scorecard_criteria", _CRITERIA, _CRITERIA_KEY, kept, criteria)
    _replace(connection, "scorecard_notes", _NOTES, _NOTES_KEY, kept, notes)
    fail_point("scoring.cards_before_commit")
    return changed


def forget_gone(connection: psycopg.Connection[Any], chosen: Chosen) -> int:
    """Remove the cards of what is no talk of the days any more, lest it counts for somebody.

    Sessions that later messages have cut otherwise, or all of whose words are deleted; calls that turned out to be
    short, internal or of nobody whom the directory knows. Cards of calls that are gone went with them. The paid answers
    stay.
    """
    days = {"first": chosen.first, "last": chosen.last, "with_awaited": chosen.with_awaited}
    return connection.execute(_FORGET, {**days, "reasons": list(_NO_TALK)}).rowcount


def scorecard_id(judged: Judged) -> str:
    """Subject, judge, rubric and its version."""
    subject = judged.subject
    return ":".join(
        (subject.kind, subject.subject_id, judged.card.judge, subject.rubric_id, str(judged.rubric_version))
    )


def _card_row(key: str, judged: Judged, at: datetime) -> dict[str, Any]:
    subject, card = judged.subject, judged.card
    return {
        "scorecard_id": key,
        "subject_kind": subject.kind,
        "subject_id": subject.subject_id,
        "call_id": subject.call_id,
        "judge": card.judge,
        "state": card.state,
        "reason": card.reason,
        "is_current": True,
        "final_score": card.final_score,
        "raw_score": card.raw_score,
        "is_auto_fail": card.is_auto_fail,
        "summary": card.summary,
        "topic": card.topic,
        "sentiment": card.sentiment,
        "flags": list(card.flags),
        "rubric_id": subject.rubric_id,
        "rubric_version": judged.rubric_version,
        "prompt_id": None if judged.prompt_hash is None else subject.prompt_id,
        "prompt_hash": judged.prompt_hash,
        "model": judged.model,
        "evaluation_keys": list(judged.evaluation_keys),
        "transcript_hash": judged.transcript_hash,
        "department_id": subject.department_id,
        "manager_id": subject.manager_id,
        "conversation_id": subject.conversation_id,
        "connection_id": subject.connection_id,
        "channel_id": subject.channel_id,
        "customer_id": subject.customer_id,
        "happened_at": subject.happened_at,
        "happened_on": subject.happened_on,
        "happened_week": subject.happened_week,
        "scored_at": at,
    }


def _criterion_row(key: str, place: int, result: CriterionResult) -> dict[str, Any]:
    is_mark = isinstance(result.given, int)
    return {
        "scorecard_id": key,
        "criterion": result.code,
        "position": place,
        "weight": result.weight,
        "best": result.best,
        "given": result.given if is_mark else None,
        "not_given": None if is_mark else result.given,
        "claimed": str(result.claimed),
        "is_auto_fail": result.is_auto_fail,
        "reason": result.reason,
        "quote": result.quote,
        "quote_state": result.quote_state,
        "ref": result.ref,
        "speaker": result.speaker,
    }


def _note_row(key: str, note: NoteResult) -> dict[str, Any]:
    return {
        "scorecard_id": key,
        "kind": note.kind,
        "n": note.n,
        "text": note.text,
        "code": note.code,
        "due_on": note.due,
        "quote": note.quote,
        "quote_state": note.quote_state,
        "ref": note.ref,
    }


def _without_worse(connection: psycopg.Connection[Any], judged: Mapping[str, Judged]) -> list[str]:
    """The keys without cards of calls that are gone, and without those that have no verdict where there is one."""
    calls = [one.subject.call_id for one in judged.values() if one.subject.call_id is not None]
    there = connection.execute("select call_id from core.calls where call_id = any(%s) for key share", [calls])
    known = {call_id for (call_id,) in there.fetchall()}
    places = [[one.subject.subject_id for one in judged.values()], [one.card.judge for one in judged.values()]]
    connection.execute(_LOCKED, places)
    silent = {key for key, one in judged.items() if one.card.state == "unscored" and not one.card.criteria}
    settled = set()
    if silent:
        verdicts = connection.execute(_VERDICTS, [[judged[key].subject.subject_id for key in silent]])
        settled = {(kind, subject_id, judge) for kind, subject_id, judge, *_ in verdicts.fetchall()}
    return [
        key
        for key, one in judged.items()
        if (one.subject.call_id is None or one.subject.call_id in known)
        and not (key in silent and (one.subject.kind, one.subject.subject_id, one.card.judge) in settled)
    ]


def _replace(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    cards: Sequence[str],
    rows: list[dict[str, Any]],
) -> None:
    """Make the rows below the cards exactly these; equal ones are not touched."""
    told = _json(rows)
    connection.execute(
        sql.SQL(
            "delete from {target} as t where t.scorecard_id = any(%s)"
            " and not exists (select from jsonb_populate_recordset(null::{target}, %s) as s where ({old}) = ({new}))"
        ).format(target=sql.Identifier("evaluated", table), old=_names(key, "t"), new=_names(key, "s")),
        [list(cards), told],
    )
    if rows:
        _upsert(connection, table, columns, key, told)


def _upsert(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Sequence[str],
    key: Sequence[str],
    rows: str,
    untouched: Sequence[str] = (),
) -> int:
    """Write rows, a JSON array. ``untouched``: columns that alone make no row a different one."""
    rest = [name for name in columns if name not in key]
    telling = [name for name in rest if name not in untouched]
    statement = sql.SQL(
        "insert into {target} as t ({columns}) select {columns} from jsonb_populate_recordset(null::{target}, %s)"
        " on conflict ({key}) do update set {assignments} where ({old}) is distinct from ({new})"
    ).format(
        target=sql.Identifier("evaluated", table),
        columns=_names(columns),
        key=_names(key),
        assignments=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(one)) for one in rest),
        old=_names(telling, "t"),
        new=_names(telling, "excluded"),
    )
    return connection.execute(statement, [rows]).rowcount


def _json(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows).decode()


def _names(columns: Sequence[str], alias: str | None = None) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(alias, one) if alias else sql.Identifier(one) for one in columns)
