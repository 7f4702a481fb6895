"""Whose call it is and whether it is judged, as it is written beside the calls; and what goes with a call."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from conversations.policy import Policy
from conversations.window import Window
from resources.warehouse.eligibility import refresh_eligibility
from resources.warehouse.engine import Warehouse
from tests.chaos.conftest import nursery  # noqa: F401 - a fixture
from tests.chaos.nursery import KILLED, Nursery

NOON = datetime(2026, 11, 16, 9, tzinfo=UTC)
DAY = date(2026, 11, 16)
WINDOW = Window.of_days(DAY, DAY, "Europe/Moscow")
POLICY = Policy.parse(
    """
departments:
  sales: {name: Торговые, agent_group: Торговые представители, rubric: sales_calls, prompt: sales_calls}
  office: {name: Офис, rubric: office_calls, prompt: office_calls}
"""
)
GROUP = "Торговые представители"
TABLES = (
    "evaluated.scorecards", "evaluated.call_eligibility", "core.call_transcripts", "core.calls", "reference.operators",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    with database.connect() as sql:
        for table in TABLES:
            sql.execute(f"delete from {table}")
    yield


def call(sql: Any, number: int, transcript: str | None = "ready", *, at: datetime = NOON, **values: Any) -> None:
    row = {
        "call_id": f"tbank:{number}", "connection_id": "tbank", "conversation_id": f"tbank:c{number}",
        "message_id": str(number), "channel_id": "tbank:phone", "operator_id": "tbank:314", "operator_login": "anna",
        "agent_group": GROUP, "direction": "out", "started_at": at, "talk_seconds": 90, "is_answered": True,
        "is_internal": False, "flags": [], "business_on": (at + timedelta(hours=3)).date(), "ingested_at": at,
        "raw_stream": "calls", "raw_id": str(number),
    } | values  # fmt: skip
    sql.execute(f"insert into core.calls ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})", [*row.values()])
    if transcript is not None:
        sql.execute(
            "insert into core.call_transcripts (call_id, connection_id, state, speakers, flags, characters,"
            " ingested_at, raw_stream, raw_id)"
            " values (%s, 'tbank', %s, 'as_labelled', '{}', 0, %s, 'transcripts', '-')",
            (row["call_id"], transcript, at),
        )


def operator(sql: Any, name: str, department: str | None, since: date = date.min, office: str | None = None) -> None:
    sql.execute(
        "insert into reference.operators (connection_id, operator, valid_from, name, department_id, office_id,"
        " supervisor_id, source) values ('tbank', %s, %s, 'Анна', %s, %s, 'boss', 'file')",
        (name, since, department, office),
    )


def stored(database: Warehouse) -> dict[str, tuple[Any, ...]]:
    with database.connect() as sql:
        rows = sql.execute(
            "select call_id, department_id, office_id, is_operator_known, why_not from evaluated.call_eligibility"
        )
        return {row[0].removeprefix("tbank:"): row[1:] for row in rows.fetchall()}


def test_every_call_has_its_department_and_the_reason_why_it_is_not_judged(database: Warehouse) -> None:
    with database.connect() as sql:
        operator(sql, "anna", "office", office="msk")
        operator(sql, "boris", None)
        call(sql, 1)
        call(sql, 2, operator_id="tbank:9", operator_login="boris")
        call(sql, 3, operator_id="tbank:10", operator_login=None)
        call(sql, 4, "pending")
        call(sql, 5, "no_speech")
        call(sql, 6, None)
        call(sql, 7, talk_seconds=19)
        call(sql, 8, None, is_answered=False, talk_seconds=0, direction="in", operator_id=None, operator_login=None)
        call(sql, 9, is_internal=True)
    counts = refresh_eligibility(database, POLICY, WINDOW)
    assert stored(database) == {
        "1": ("office", "msk", True, None),
        "2": (None, None, True, "no_department"),
        "3": ("sales", None, False, "unknown_operator"),
        "4": ("office", "msk", True, "transcript_pending"),
        "5": ("office", "msk", True, "no_speech"),
        "6": ("office", "msk", True, "no_transcript"),
        "7": ("office", "msk", True, "short"),
        "8": ("sales", None, False, "missed"),
        "9": ("office", "msk", True, "internal"),
    }
    assert counts.written == 9 and sum(counts.by_reason.values()) == 9
    assert counts.by_reason["judged"] == 1 and counts.unknown_departments == ()
    assert refresh_eligibility(database, POLICY, WINDOW).written == 0


def test_what_changed_is_written_and_nothing_else(database: Warehouse) -> None:
    with database.connect() as sql:
        call(sql, 1)
        call(sql, 2, "pending")
    assert refresh_eligibility(database, POLICY, WINDOW).written == 2
    assert stored(database) == {"1": ("sales", None, True, None), "2": ("sales", None, True, "transcript_pending")}
    with database.connect() as sql:
        sql.execute("update core.call_transcripts set state = 'ready' where call_id = 'tbank:2'")
    assert refresh_eligibility(database, POLICY, WINDOW).written == 1
    assert stored(database)["2"] == ("sales", None, True, None)
    with database.connect() as sql:
        operator(sql, "anna", "gone")
    counts = refresh_eligibility(database, POLICY, WINDOW)
    # a department that the policy does not have judges nobody
    assert counts.written == 2 and counts.unknown_departments == ("gone",)
    assert stored(database)["1"] == ("gone", None, True, "no_department")


def test_days_outside_the_window_keep_what_they_had_and_new_calls_of_any_day_are_looked_at(database: Warehouse) -> None:
    with database.connect() as sql:
        call(sql, 1, at=NOON - timedelta(days=400))
    assert refresh_eligibility(database, POLICY, WINDOW).written == 1
    with database.connect() as sql:
        operator(sql, "anna", "office")
        call(sql, 2)
        call(sql, 3, connection_id="files", operator_id=None, operator_login=None, agent_group=None)
    assert refresh_eligibility(database, POLICY, WINDOW, only=["tbank"]).written == 1
    assert {one: row[0] for one, row in stored(database).items()} == {"1": "sales", "2": "office"}
    assert refresh_eligibility(database, POLICY, WINDOW).written == 1
    assert stored(database)["3"] == (None, None, True, "no_department")
    # without a window all calls are looked at, those of long ago as well
    assert refresh_eligibility(database, POLICY, None).written == 1
    assert stored(database)["1"][0] == "office"


def test_a_kill_before_the_commit_costs_nothing(database: Warehouse, nursery: Nursery) -> None:  # noqa: F811
    with database.connect() as sql:
        call(sql, 1)
    worker = nursery.start("eligibility", database, WINDOW, fail_point="eligibility.before_commit:1")
    assert worker.wait() == KILLED, worker.words
    assert stored(database) == {}
    worker = nursery.start("eligibility", database, WINDOW)
    assert worker.wait() == 0, worker.words
    assert stored(database) == {"1": (None, None, True, "no_department")}


def test_with_a_call_goes_all_that_hangs_on_it(database: Warehouse) -> None:
    with database.connect() as sql:
        for number in (1, 2):
            call(sql, number)
            card = {
                "scorecard_id": f"card{number}", "subject_kind": "call", "subject_id": f"tbank:{number}",
                "call_id": f"tbank:{number}", "judge": "rules", "state": "scored", "is_current": True,
                "is_auto_fail": False, "flags": [], "rubric_id": "r", "rubric_version": 1, "evaluation_keys": [],
                "transcript_hash": "h", "conversation_id": "c", "connection_id": "tbank", "channel_id": "h",
                "happened_at": NOON, "happened_on": DAY, "happened_week": "2026-W47", "scored_at": NOON,
            }  # fmt: skip
            sql.execute(
                f"insert into evaluated.scorecards ({', '.join(card)}) values ({', '.join(['%s'] * len(card))})",
                [*card.values()],
            )
            sql.execute(
                "insert into evaluated.scorecard_criteria (scorecard_id, criterion, position, weight, best, claimed,"
                " is_auto_fail, reason, quote_state) values (%s, 'greeting', 1, 10, 1, '1', false, '-', 'missing')",
                (f"card{number}",),
            )
            sql.execute(
                "insert into evaluated.scorecard_notes (scorecard_id, kind, n, text, quote_state)"
                " values (%s, 'agreement', 1, '-', 'missing')",
                (f"card{number}",),
            )
    refresh_eligibility(database, POLICY, WINDOW)
    hanging = (
        "core.call_transcripts", "evaluated.call_eligibility", "evaluated.scorecards", "evaluated.scorecard_criteria",
        "evaluated.scorecard_notes", "evaluated.call_evaluations", "evaluated.agreements",
    )  # fmt: skip

    def left() -> dict[str, int]:
        with database.connect() as sql:
            return {table: sql.execute(f"select count(*) from {table}").fetchone()[0] for table in hanging}  # type: ignore[index]

    assert left() == dict.fromkeys(hanging, 2)
    with database.connect() as sql:
        sql.execute("delete from core.calls where call_id = 'tbank:1'")
    assert left() == dict.fromkeys(hanging, 1)
