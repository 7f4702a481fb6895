"""Talks that lost their verdict because their words have changed: a night finds them, of whatever day they are.

Here: what a night's run judges beside its own days, and what it buys for that. Not here: how a load takes a verdict
away (``test_stale_quotes``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from resources.llm_resource import NIGHT_TAG, chosen_of
from resources.scoring.run import Counts, score
from resources.scoring.subjects import Chosen
from resources.warehouse.eligibility import refresh_eligibility
from resources.warehouse.engine import Warehouse
from resources.warehouse.stale_quotes import forget_unsaid
from tests.scoring import DAY, Judge, policy, put_call, put_rubrics, put_session, put_transcript, scorer, talk

LONG_AGO = DAY - timedelta(days=40)
LATER = DAY + timedelta(days=30)
"""A night that is far from both: the call's day and the session's."""
CALL, SESSION = "tbank:00001", "shop:1:a"
RULES = policy("scoring: {chats: {enabled: true}}")
TABLES = (
    "core.calls", "evaluated.scorecards", "evaluated.evaluations", "evaluated.behaviour", "evaluated.sessions",
    "core.messages", "ops.llm_calls", "reference.rubrics",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _judged_long_ago(database: Warehouse) -> Iterator[None]:
    """A call and a session, both judged; nothing on the day of the night."""
    with database.connect() as session:
        for table in TABLES:
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
        put_call(session, 1, on=LONG_AGO)
        put_session(session, 1)
    for day in (LONG_AGO, DAY):
        assert run(database, Judge(), f"of {day}", Chosen(day, day)).scored == 1
    yield


def run(database: Warehouse, judge: Judge, name: str, chosen: Chosen, rules: Any = RULES) -> Counts:
    return score(database, scorer(judge, rules), chosen, name)


def night(database: Warehouse, judge: Judge, name: str, rules: Any = RULES, on: date = LATER) -> Counts:
    return run(database, judge, name, chosen_of(on, on, {NIGHT_TAG: on.isoformat()}), rules)


def says(database: Warehouse, phrases: Sequence[tuple[str, str]] | None) -> None:
    """A load reads the call's transcript anew; ``None``: the vendor has none by now."""
    with database.connect() as session:
        if phrases is None:
            session.execute("update core.call_transcripts set state = 'pending', phrases = null")
        else:
            put_transcript(session, CALL, phrases)
        forget_unsaid(session, [], [CALL])
    refresh_eligibility(database, RULES, None)


def writes(database: Warehouse, text: str) -> None:
    """A load brings the edited words of the chat's manager."""
    with database.connect() as session:
        session.execute("update core.messages set text = %s where message_id = 'c'", [text])
        forget_unsaid(session, ["shop:1"], [])


def cards(database: Warehouse, judge: str = "model") -> dict[str, tuple[str, str | None]]:
    with database.connect() as session:
        found = session.execute(
            "select subject_id, state, reason from evaluated.scorecards where judge = %s and is_current", [judge]
        ).fetchall()
    return {subject: (state, reason) for subject, state, reason in found}


def test_a_transcript_that_is_awaited_once_more_is_judged_when_it_is_there(database: Warehouse) -> None:
    says(database, None)
    assert cards(database)[CALL] == ("unscored", "words_changed")
    waiting = night(database, Judge(), "while it is awaited")
    assert (waiting.talks, waiting.calls, cards(database)[CALL]) == (0, 0, ("unscored", "words_changed"))
    says(database, talk(1))
    counts = night(database, judge := Judge(), "when it is there")
    assert (counts.talks, counts.awaited, counts.cached, counts.scored) == (1, 1, 1, 1)
    assert (counts.calls, judge.requests) == (0, []), "the same words are paid for"
    assert cards(database) == {CALL: ("scored", None), SESSION: ("scored", None)}
    assert cards(database, "rules")[CALL][0] == "scored"
    assert night(database, Judge(), "the night after").talks == 0


def test_other_words_are_bought_once(database: Warehouse) -> None:
    says(database, talk(77))
    writes(database, "Могу предложить другой товар за 300 рублей")
    counts = night(database, Judge(), "first")
    assert (counts.awaited, counts.scored, counts.calls) == (2, 2, 2)
    assert cards(database) == {CALL: ("scored", None), SESSION: ("scored", None)}
    again = night(database, Judge(), "second")
    assert (again.talks, again.calls) == (0, 0)


def test_only_a_night_looks_at_other_days(database: Warehouse) -> None:
    """Who asks for days gets those days; a backfill of scoring buys what it was asked for."""
    says(database, talk(77))
    counts = run(database, Judge(), "by hand", Chosen(LATER, LATER))
    assert (counts.talks, counts.calls, cards(database)[CALL]) == (0, 0, ("unscored", "words_changed"))
    counts = run(database, Judge(), "its day", Chosen(LONG_AGO, LONG_AGO))
    assert (counts.awaited, counts.calls, cards(database)[CALL]) == (0, 1, ("scored", None))


def test_a_talk_that_was_never_judged_is_not_bought_for_its_words(database: Warehouse) -> None:
    with database.connect() as session:
        put_call(session, 2, on=LONG_AGO)
    refresh_eligibility(database, RULES, None)
    with database.connect() as session:
        put_transcript(session, "tbank:00002", talk(78))
        assert forget_unsaid(session, [], ["tbank:00002"]) == 0
    assert night(database, Judge(), "night").talks == 0


def test_the_nights_own_days_come_first(database: Warehouse) -> None:
    says(database, talk(77))
    with database.connect() as session:
        put_call(session, 3, on=LATER)
    one_call = policy("scoring: {chats: {enabled: true}, concurrency: 1, budget: {run_usd: 0.0001, day_usd: 1}}")
    counts = night(database, Judge(cost=100, worst=100), "short of money", one_call)
    assert (counts.talks, counts.calls, counts.left) == (2, 1, 1)
    assert cards(database)["tbank:00003"] == ("scored", None)
    assert cards(database)[CALL] == ("unscored", "words_changed")
    assert night(database, Judge(), "the next night").calls == 1
    assert cards(database)[CALL] == ("scored", None)


def test_what_is_no_talk_any_more_awaits_nothing(database: Warehouse) -> None:
    says(database, None)
    writes(database, "другое")
    with database.connect() as session:
        session.execute("update core.calls set is_internal = true")
        session.execute("delete from evaluated.behaviour")
    refresh_eligibility(database, RULES, None)
    assert night(database, Judge(), "night").talks == 0
    assert cards(database) == {}


def test_words_that_change_while_they_are_judged_again_leave_no_quote(database: Warehouse) -> None:
    says(database, talk(77))

    def answer(request: Any) -> Any:
        says(database, talk(78))
        return Judge().answer(request)

    night(database, Judge(answer=answer), "night")
    assert cards(database)[CALL] == ("unscored", "words_changed")
    assert night(database, Judge(), "the next night").calls == 1
    assert cards(database)[CALL] == ("scored", None)


def test_what_a_run_wrote_while_the_load_waited_for_it_goes_as_well(database: Warehouse) -> None:
    """Its notes were not there when the load began to look."""
    with database.connect() as session:
        session.execute("update core.messages set text = 'другое' where message_id = 'c'")
    with ThreadPoolExecutor(1) as threads, database.connect() as scoring:
        scoring.execute("select from evaluated.scorecards where subject_id = %s for update", [SESSION])
        load = threads.submit(writes, database, "другое")
        wait_for_blocked(database)
        scoring.execute(
            "insert into evaluated.scorecard_notes (scorecard_id, kind, n, text, quote, quote_state, ref)"
            " select scorecard_id, 'agreement', 1, 'перезвонить', 'Могу предложить', 'verified', 'c'"
            " from evaluated.scorecards where subject_id = %s and judge = 'model'",
            [SESSION],
        )
        scoring.commit()
        load.result(60)
    assert cards(database)[SESSION] == ("unscored", "words_changed")
    with database.connect() as session:
        left = session.execute(
            "select count(*) from evaluated.scorecard_notes join evaluated.scorecards using (scorecard_id)"
            " where subject_id = %s",
            [SESSION],
        ).fetchone()
    assert left == (0,)


def wait_for_blocked(database: Warehouse) -> None:
    until = time.monotonic() + 60
    with database.connect() as session:
        session.autocommit = True
        while session.execute(
            "select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
            " and datname = current_database()"
        ).fetchone() == (0,):
            assert time.monotonic() < until
            time.sleep(0.02)
