"""What a watcher is told of scoring: how the last run ended, and days that nobody has judged although he could have."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from conversations.alerts import Kind, Scoring
from conversations.policy import Policy
from resources.alerts import Seen, look
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from resources.warehouse.scoring_state import note_end, scoring_state
from tests.cards import MONDAY, PHRASES, put_calls, put_cards, put_rubric

# the night of the second day after a Monday should judge it; by Thursday it has been missed
THURSDAY = datetime(2026, 11, 19, 6, tzinfo=UTC)


def policy(*, calls: bool = True, departments: bool = True, day_ago: int = 2) -> Policy:
    sales = {"sales": {"name": "Продажи", "rubric": "sales_calls", "prompt": "sales_calls"}}
    return Policy.model_validate(
        {
            "organisation": {"name": "Пример", "time_zone": "Europe/Moscow"},
            "departments": sales if departments else {},
            "scoring": {"calls_enabled": calls, "day_ago": day_ago},
        }
    )


def state(database: Warehouse, now: datetime = THURSDAY, rules: Policy | None = None) -> Scoring:
    with database.as_role(Role.PUBLISHER).connect() as sql:
        return scoring_state(sql, rules or policy(), now)


def test_the_end_of_a_run_is_written_down_where_it_differs(fresh_database: Warehouse) -> None:
    ends = [(), (), ("day",), ("day",), ("day", "department"), (), ()]
    with fresh_database.as_role(Role.LOADER).connect(autocommit=True) as sql:
        assert state(fresh_database) == Scoring()
        for minute, stopped in enumerate(ends):
            note_end(sql, stopped, THURSDAY + timedelta(minutes=minute))
            if minute == 3:
                assert state(fresh_database) == Scoring(frozenset({"day"}), THURSDAY + timedelta(minutes=2))
            if minute == 4:
                assert state(fresh_database).stopped == {"day", "department"}
        assert state(fresh_database) == Scoring()
        rows = sql.execute("select subject from ops.audit where action = 'score' order by at").fetchall()
    assert rows == [("stopped: day",), ("stopped: day, department",), ("everything was bought",)]


@pytest.mark.parametrize(
    ("now", "rules", "missed"),
    [
        (THURSDAY, policy(), [MONDAY]),
        (datetime(2026, 11, 18, 20, 59, tzinfo=UTC), policy(), []),
        # of yesterday's day the calls came in the night itself, or in the evening before it
        (THURSDAY, policy(day_ago=1), [MONDAY, date(2026, 11, 17)]),
        (datetime(2026, 11, 18, 21, 0, tzinfo=UTC), policy(), [MONDAY]),
        (THURSDAY, policy(day_ago=3), []),
        (THURSDAY, policy(calls=False), []),
        (THURSDAY, policy(departments=False), []),
        (datetime(2026, 11, 20, 6, tzinfo=UTC), policy(), [MONDAY, date(2026, 11, 17)]),
        (datetime(2026, 11, 27, 6, tzinfo=UTC), policy(), [date(2026, 11, 18)]),
    ],
)
def test_a_day_is_missed_after_the_night_that_should_have_judged_it(
    database: Warehouse, now: datetime, rules: Policy, missed: list[date]
) -> None:
    with database.connect() as sql:
        sql.execute("delete from core.calls")
    put_calls(database, [PHRASES] * 3)
    found = state(database, now, rules)
    assert list(found.missed) == missed
    if missed == [MONDAY]:
        assert found.missed_since == datetime(2026, 11, 17, 21, tzinfo=UTC)


def test_what_came_late_or_has_a_card_or_cannot_be_judged_is_not_missed(fresh_database: Warehouse) -> None:
    put_rubric(fresh_database)
    put_calls(fresh_database, [PHRASES])
    changes = {
        "update core.call_transcripts set ingested_at = '2026-11-18 00:00+03'": [],
        "update core.call_transcripts set ingested_at = '2026-11-17 23:59+03'": [MONDAY],
        "update evaluated.call_eligibility set why_not = 'short'": [],
    }
    changes_of_night = {
        # words of the third night are its duty, what came after it is nobody's
        "2026-11-18 00:00+03": ("2026-11-19 12:00+03", "2026-11-20 12:00+03", True),
        "2026-11-19 23:59+03": ("2026-11-20 12:00+03", "2026-11-21 12:00+03", True),
        "2026-11-20 00:00+03": ("2026-11-21 12:00+03", "2026-11-22 12:00+03", False),
    }
    for came, (before, after, is_missed) in changes_of_night.items():
        with fresh_database.connect() as sql:
            sql.execute("update core.call_transcripts set ingested_at = %s", [came])
        assert state(fresh_database, datetime.fromisoformat(before)).missed == ()
        assert list(state(fresh_database, datetime.fromisoformat(after)).missed) == [MONDAY] * is_missed
    for statement, missed in changes.items():
        with fresh_database.connect() as sql:
            sql.execute(statement)
        assert list(state(fresh_database).missed) == missed
    with fresh_database.connect() as sql:
        sql.execute("update evaluated.call_eligibility set why_not = null")
    assert list(state(fresh_database).missed) == [MONDAY]
    put_cards(fresh_database, [(1, 1)])
    assert state(fresh_database).missed == ()


def test_a_look_tells_both_and_their_end(fresh_database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> None:
    put_rubric(fresh_database)
    put_calls(fresh_database, [PHRASES])

    def seen() -> list[tuple[Kind, str]]:
        home = tmp_path_factory.getbasetemp()
        found = look(
            fresh_database.as_role(Role.PUBLISHER), policy(), THURSDAY, lambda place: Seen(), home=home,
            operators_chat="-1001",
        )  # fmt: skip
        return sorted((one.kind, one.reason) for one in found.changes.opened if one.kind is Kind.SCORING)

    with fresh_database.as_role(Role.LOADER).connect(autocommit=True) as sql:
        note_end(sql, ("run",), THURSDAY)
        assert seen() == [(Kind.SCORING, "not_scored"), (Kind.SCORING, "over_budget")]
        assert seen() == []
        note_end(sql, (), THURSDAY + timedelta(hours=1))
    put_cards(fresh_database, [(1, 1)])
    seen()
    with fresh_database.connect() as sql:
        rows = sql.execute("select count(*), count(closed_at) from ops.incidents where kind = 'scoring'").fetchone()
        texts = [body for (body,) in sql.execute("select body from ops.outbox where body like '%Разговоры%'")]
    assert rows == (2, 2) and len(texts) == 4
