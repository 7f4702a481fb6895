"""What of a scoring run stays as it is when one talk breaks, and what may not stay when its words have changed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conversations.scoring import masking, scorecard
from conversations.scoring.shapes import Answer, NoteAnswer, Request
from resources.scoring import works
from resources.scoring.run import Counts, score
from resources.scoring.subjects import Chosen
from resources.warehouse.engine import Warehouse
from resources.warehouse.stale_quotes import forget_unsaid
from tests.scoring import (
    DAY,
    RUBRIC,
    Judge,
    full_marks,
    policy,
    put_call,
    put_rubrics,
    put_session,
    put_transcript,
    scorer,
    talk,
)

TABLES = (
    "core.calls", "evaluated.scorecards", "evaluated.evaluations", "evaluated.behaviour", "evaluated.sessions",
    "core.messages", "ops.llm_calls", "reference.rubrics",
)  # fmt: skip
CHATS = policy("scoring: {chats: {enabled: true}}")
NO_MONEY = policy("scoring: {chats: {enabled: true}, budget: {run_usd: 0, day_usd: 0}}")
CARDS = (
    "select subject_id, state from evaluated.scorecards where judge = 'model' and reason is distinct from"
    " 'words_changed' order by 1, rubric_version"
)


@pytest.fixture(autouse=True)
def _empty(database: Warehouse) -> Iterator[None]:
    with database.connect() as session:
        for table in TABLES:
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
    yield


def run(database: Warehouse, judge: Judge, name: str, rules: Any = CHATS, again: tuple[str, ...] = ()) -> Counts:
    return score(database, scorer(judge, rules), Chosen(DAY, DAY, again=frozenset(again)), name)


def rows(database: Warehouse, statement: str) -> list[tuple[Any, ...]]:
    with database.connect() as session:
        return session.execute(statement).fetchall()  # type: ignore[call-overload]


def with_note(request: Request) -> Answer:
    said = full_marks(request)
    return said._replace(notes=(NoteAnswer("recommendation", "Спросите о сроке", said.criteria[0].quote),))


@pytest.mark.parametrize(("module", "name"), [(masking, "hidden"), (scorecard, "card_of_marks")])
def test_a_talk_that_breaks_leaves_the_others_alone(
    database: Warehouse,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: Any,
    name: str,
) -> None:
    with database.connect() as session:
        for number in range(5):
            put_call(session, number)
        put_call(session, 7, phrases=[*talk(7), ("manager", "кодовоеслово")])
    whole = getattr(module, name)

    def breaks(first: Any, *rest: Any, **options: Any) -> Any:
        # the text that is masked, or the marks of a model's card
        if "кодовоеслово" in str(first) and (module is masking or rest[0] == "model"):
            raise RuntimeError("кодовоеслово")
        return whole(first, *rest, **options)

    monkeypatch.setattr(module, name, breaks)
    judge = Judge()
    counts = run(database, judge, "run")
    assert (counts.scored, counts.not_ready, counts.talks) == (5, {"broken": 1}, 6)
    assert [one for one, _ in rows(database, CARDS)] == [f"tbank:0000{n}" for n in range(5)]
    assert rows(database, "select count(*) from ops.llm_calls where state <> 'settled'") == [(0,)]
    assert "RuntimeError" in caplog.text and "кодовоеслово" not in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR


def test_an_error_of_all_ends_the_run(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.connect() as session:
        put_call(session, 1)

    def breaks(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(works, "unsuitable_by_rules", breaks)
    with pytest.raises(ZeroDivisionError):
        run(database, Judge(), "run")


def test_what_rules_saw_without_asking_is_looked_at_again(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.connect() as session:
        put_call(session, 1)
    with monkeypatch.context() as patch:
        patch.setattr(works, "unsuitable_by_rules", lambda _: "voicemail")
        assert (run(database, Judge(), "first").unsuitable) == 1
    # the words that made it voice mail are gone from the lexicon; nobody has paid for a verdict
    counts = run(database, Judge(), "second")
    assert (counts.kept, counts.scored, counts.calls) == (0, 1, 1)
    assert rows(database, CARDS) == [("tbank:00001", "scored")]


def test_a_card_whose_quotes_nobody_said_any_more_goes(database: Warehouse) -> None:
    """Of all versions, of calls and chats, with money and without."""
    with database.connect() as session:
        for number in (1, 2, 3):
            put_call(session, number)
            put_session(session, number)
    run(database, Judge(answer=with_note), "first")
    with database.connect() as session:
        put_rubrics(session, RUBRIC.replace("weight: 60", "weight: 160"))
    assert run(database, Judge(answer=with_note), "second", again=("sales_calls", "chats")).calls == 6
    assert len(rows(database, CARDS)) == 12
    before = rows(database, "select scorecard_id, xmin::text from evaluated.scorecards order by 1")
    assert run(database, Judge(), "third").calls == 0
    assert rows(database, "select scorecard_id, xmin::text from evaluated.scorecards order by 1") == before
    swapped = [("customer" if who == "manager" else "manager", text) for who, text in talk(2)]
    with database.connect() as session:
        put_transcript(session, "tbank:00001", talk(900))
        put_transcript(session, "tbank:00002", swapped)
        session.execute(
            "update core.messages set text = 'другое' where conversation_id = 'shop:1' and message_id = 'c'"
        )
        session.execute(
            "update core.messages set deleted_at = sent_at where (conversation_id, message_id) = ('shop:2', 'c')"
        )
    assert run(database, Judge(), "fourth", NO_MONEY).calls == 0
    left = [("shop:3:a", "scored")] * 2 + [("tbank:00003", "scored")] * 2
    assert [one for one in rows(database, CARDS) if one[1] == "scored"] == left


def test_what_is_deleted_while_a_model_judges_it_leaves_no_quote(database: Warehouse) -> None:
    with database.connect() as session:
        for number in range(2):
            put_session(session, number)

    def deletes(request: Request) -> Answer:
        with database.connect() as load:
            load.execute(
                "update core.messages set deleted_at = sent_at where (conversation_id, message_id) = ('shop:1', 'c')"
            )
        return full_marks(request)

    assert run(database, Judge(answer=deletes), "first").scored == 2
    assert rows(database, CARDS) == [("shop:0:a", "scored")]
    assert rows(database, "select 1 from evaluated.scorecard_criteria where quote like '%товар 1%'") == []


@pytest.mark.parametrize("later", [0, 1])
def test_a_load_that_removes_cards_and_a_run_that_writes_them_do_not_stand_in_each_others_way(
    database: Warehouse, later: int
) -> None:
    with database.connect() as session:
        for number in range(2):
            put_session(session, number)
        session.execute("update core.messages set text = 'Здравствуйте! ' || text where message_id = 'c'")
    run(database, Judge(), "first")
    by_rules = "select count(*) from evaluated.scorecard_criteria where quote is not null and scorecard_id ~ ':rules:'"
    assert rows(database, by_rules) == [(2,)]
    with database.connect() as session:
        # so they lie in the table in another order than that in which the run writes them, one way or the other
        session.execute(
            "update evaluated.scorecards set scored_at = scored_at where subject_id = %s", [f"shop:{later}:a"]
        )
    with ThreadPoolExecutor(2) as threads:
        with database.connect() as holder:
            holder.execute("select from evaluated.scorecards where subject_id = %s for update", [f"shop:{1 - later}:a"])
            load = threads.submit(_edits_all, database)
            _wait_for_blocked(database, 1)
            judged = threads.submit(run, database, Judge(), "second")
            _wait_for_blocked(database, 2)
        assert load.result(30) > 0
        assert judged.result(30).not_ready.total() == 0


def _edits_all(database: Warehouse) -> int:
    with database.connect() as load:
        load.execute("update core.messages set text = 'ничего' where message_id in ('a', 'c')")
        # as it may be with many cards: they are found in the order in which they lie there
        load.execute("set local enable_indexscan = off")
        load.execute("set local enable_bitmapscan = off")
        return forget_unsaid(load, ["shop:0", "shop:1"], [])


def _wait_for_blocked(database: Warehouse, sessions: int) -> None:
    until = time.monotonic() + 20
    blocked = "select count(*) from pg_stat_activity where cardinality(pg_blocking_pids(pid)) > 0"
    while rows(database, blocked) < [(sessions,)]:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_call_that_turns_out_to_be_none_to_judge_loses_its_cards(database: Warehouse) -> None:
    """Else a call among colleagues would count for the manager for good; a transcript that is awaited keeps them."""
    with database.connect() as session:
        for number in range(4):
            put_call(session, number)
    run(database, Judge(), "first")
    with database.connect() as session:
        session.execute("update core.calls set is_internal = true where call_id = 'tbank:00000'")
        session.execute("update core.calls set talk_seconds = 3 where call_id = 'tbank:00001'")
        session.execute("update core.call_transcripts set state = 'pending' where call_id = 'tbank:00002'")
    assert run(database, Judge(), "second").talks == 1
    assert rows(database, "select distinct subject_id from evaluated.scorecards order by 1") == [
        ("tbank:00002",), ("tbank:00003",),
    ]  # fmt: skip
    with database.connect() as session:
        session.execute("update core.calls set is_internal = false, talk_seconds = 90")
    counts = run(database, Judge(), "third")
    assert (counts.scored, counts.calls) == (3, 0)
