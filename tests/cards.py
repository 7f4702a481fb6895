"""Calls with a model's cards, put straight into the tables: what labels are held against.

Here: rows. Not here: how cards come about (``tests/pipeline/test_scoring*``). The words, marks and ids are invented.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from conversations.scoring.rubric import as_json, criteria_hash
from conversations.scoring.shapes import Criterion
from resources.warehouse.engine import Warehouse

MONDAY = date(2026, 11, 16)
GROUP = "Продажи"
"""Agent group of the calls: the department's."""
PROMPT, MODEL = "f" * 64, "openai/judge"
CRITERIA = (
    Criterion("greeting", "Приветствие", "Поздоровался?", 5, 1),
    Criterion("offer", "Предложение", "Предложил?", 20, 2, may_not_apply=True),
)
PHRASES = [
    {"n": 0, "speaker": "manager", "text": "Добрый день, компания Тёплый край.", "start": 0.0, "end": 2.0},
    {"n": 1, "speaker": "customer", "text": "Перезвоните мне на +7 916 555-01-02", "start": 2.0, "end": 4.0},
]
Card = tuple[Any, Any]
"""The judge's answers on greeting and offer."""


def put_rubric(warehouse: Warehouse, rubric_id: str = "sales_calls", version: int = 1) -> None:
    """A version of the rubric of ``CRITERIA``."""
    with warehouse.connect() as sql:
        sql.execute(
            "insert into reference.rubrics values (%s, %s, %s, %s, null, 'file', now())",
            (rubric_id, version, criteria_hash(CRITERIA), json.dumps(as_json(CRITERIA))),
        )


def put_cards(
    warehouse: Warehouse,
    cards: Sequence[Card],
    *,
    rubric_id: str = "sales_calls",
    version: int = 1,
    prompt: str = PROMPT,
    model: str = MODEL,
    quote_state: str = "verified",
    at: datetime = datetime(2026, 11, 20, tzinfo=UTC),
) -> list[str]:
    """A call ``tbank:1`` … for each card, over two weeks; a card that is there is replaced. Returns the calls."""
    calls = put_calls(warehouse, [PHRASES] * len(cards))
    rows: dict[str, list[dict[str, Any]]] = {"evaluated.scorecards": [], "evaluated.scorecard_criteria": []}
    judged_by = {"rubric_id": rubric_id, "rubric_version": version, "prompt_hash": prompt, "model": model}
    for number, (call_id, card) in enumerate(zip(calls, cards, strict=True)):
        start = _start(number)
        scorecard_id = f"call:{call_id}:model:{rubric_id}:{version}"
        rows["evaluated.scorecards"].append({**_card(scorecard_id, call_id, start, at), **judged_by})
        rows["evaluated.scorecard_criteria"] += [
            _answer(scorecard_id, place, criterion, answer, quote_state)
            for place, (criterion, answer) in enumerate(zip(CRITERIA, card, strict=True), 1)
        ]
    with warehouse.connect() as sql:
        gone = [row["scorecard_id"] for row in rows["evaluated.scorecards"]]
        sql.execute("delete from evaluated.scorecards where scorecard_id = any(%s)", [gone])
        _put(sql, rows)
    return calls


def put_calls(warehouse: Warehouse, talks: Sequence[list[dict[str, Any]]]) -> list[str]:
    """A call ``tbank:1`` … of the department "sales" for each list of phrases; one that is there stays as it is."""
    calls = [f"tbank:{number}" for number in range(1, len(talks) + 1)]
    starts = [_start(number) for number in range(len(talks))]
    with warehouse.connect() as sql:
        _put(
            sql,
            {
                "core.calls": [_call(*one) for one in zip(calls, starts, strict=True)],
                "core.call_transcripts": [_transcript(*one) for one in zip(calls, starts, talks, strict=True)],
                "evaluated.call_eligibility": [
                    _eligible(call_id, start.date()) for call_id, start in zip(calls, starts, strict=True)
                ],
            },
        )
    return calls


def _start(number: int) -> datetime:
    on = MONDAY + timedelta(days=number % 14)
    return datetime(on.year, on.month, on.day, 9, tzinfo=UTC)


def _put(sql: Any, rows: dict[str, list[dict[str, Any]]]) -> None:
    for table, listed in rows.items():
        sql.execute(_TABLES[table], [json.dumps(listed, default=str)])


_TABLES = {
    table: f"insert into {table} select * from jsonb_populate_recordset(null::{table}, %s) on conflict do nothing"
    for table in (
        "core.calls",
        "core.call_transcripts",
        "evaluated.call_eligibility",
        "evaluated.scorecards",
        "evaluated.scorecard_criteria",
    )
}


def _call(call_id: str, start: datetime) -> dict[str, Any]:
    return {
        "call_id": call_id, "connection_id": "tbank", "conversation_id": f"{call_id}:chat", "message_id": call_id,
        "channel_id": "tbank:phone", "operator_id": "tbank:7", "agent_group": GROUP, "direction": "out",
        "started_at": start,
        "talk_seconds": 60, "is_answered": True, "is_internal": False, "flags": [], "business_on": start.date(),
        "ingested_at": start, "raw_stream": "tbank__calls", "raw_id": call_id,
    }  # fmt: skip


def _transcript(call_id: str, start: datetime, phrases: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "call_id": call_id, "connection_id": "tbank", "state": "ready", "phrases": phrases, "speakers": "as_labelled",
        "flags": [], "characters": 70, "ingested_at": start, "raw_stream": "tbank__transcripts", "raw_id": call_id,
    }  # fmt: skip


def _eligible(call_id: str, on: date) -> dict[str, Any]:
    return {
        "call_id": call_id, "connection_id": "tbank", "business_on": on, "department_id": "sales",
        "is_operator_known": True, "transcript_state": "ready",
    }  # fmt: skip


def _card(scorecard_id: str, call_id: str, start: datetime, at: datetime) -> dict[str, Any]:
    return {
        "scorecard_id": scorecard_id, "subject_kind": "call", "subject_id": call_id, "call_id": call_id,
        "judge": "model", "state": "scored", "is_current": True, "is_auto_fail": False, "flags": [],
        "prompt_id": "sales_calls", "evaluation_keys": [], "transcript_hash": "0" * 64, "department_id": "sales",
        "conversation_id": f"{call_id}:chat", "connection_id": "tbank", "channel_id": "tbank:phone",
        "happened_at": start, "happened_on": start.date(), "scored_at": at,
        "happened_week": f"{start.isocalendar().year}-W{start.isocalendar().week:02}",
    }  # fmt: skip


def _answer(scorecard_id: str, place: int, criterion: Criterion, answer: Any, quote_state: str) -> dict[str, Any]:
    is_mark = isinstance(answer, int)
    return {
        "scorecard_id": scorecard_id, "criterion": criterion.code, "position": place, "weight": criterion.weight,
        "best": criterion.best, "given": answer if is_mark else None, "not_given": None if is_mark else answer,
        "claimed": str(answer), "is_auto_fail": False, "reason": "сказал", "quote": PHRASES[0]["text"],
        "quote_state": quote_state,
    }  # fmt: skip
