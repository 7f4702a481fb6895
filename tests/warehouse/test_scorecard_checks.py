"""Each check of scorecards is green over what a run writes, and red over one row that contradicts its name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assets.checks.judge import judge
from assets.checks.scorecards import SCORECARDS
from assets.spans import Span
from conversations.scoring.shapes import Answer, NoteAnswer, Request
from resources.scoring.run import score
from resources.scoring.subjects import Chosen
from resources.warehouse.engine import Warehouse
from tests.scoring import DAY, Judge, full_marks, policy, put_call, put_rubrics, put_session, scorer

CHOSEN = [(table, rule) for table in SCORECARDS for rule in table.rules]
_MARK = "update evaluated.scorecard_criteria set {} where criterion = 'offer' and quote_state = 'verified'"
BREAKS = {
    "evaluated.scorecards.scores_follow_their_state": "update evaluated.scorecards set reason = 'empty'",
    "evaluated.scorecards.one_current_card_of_each_judge": (
        'insert into evaluated.scorecards select (jsonb_populate_record(s, \'{"scorecard_id": "other"}\')).*'
        " from evaluated.scorecards as s where judge = 'model' limit 1"
    ),
    "evaluated.scorecards.every_card_has_its_answers": "delete from evaluated.evaluations",
    "evaluated.scorecard_criteria.marks_are_on_their_scale": _MARK.format("given = 3"),
    "evaluated.scorecard_criteria.every_counted_mark_has_its_quote": _MARK.format(
        "quote = null, quote_state = 'missing'"
    ),
    "evaluated.scorecard_criteria.quotes_are_verified_ones": _MARK.format("quote_state = 'not_found', given = 0"),
    "evaluated.scorecard_criteria.every_quote_was_said": _MARK.format("quote = quote || '!'"),
    "evaluated.scorecard_notes.notes_say_something": "update evaluated.scorecard_notes set text = ''",
    "evaluated.scorecard_notes.notes_are_of_a_kind": "update evaluated.scorecard_notes set kind = 'gossip'",
    "evaluated.evaluations.answers_are_whole": "update evaluated.evaluations set answer = null",
    "evaluated.evaluations.the_book_is_in_order": "update ops.llm_calls set cost_microusd = null",
    "evaluated.evaluations.nothing_is_in_flight_for_a_day": (
        "update ops.llm_calls set state = 'reserved', settled_at = null, cost_microusd = null,"
        " reserved_at = now() - interval '2 days'"
    ),
}


def with_note(request: Request) -> Answer:
    said = full_marks(request)
    quote = said.criteria[0].quote
    return said._replace(notes=(NoteAnswer("recommendation", "Спросите о сроке", quote),))


@pytest.fixture
def scored(database: Warehouse) -> Iterator[Warehouse]:
    """A call and a session of a chat, judged by both judges."""
    with database.connect() as session:
        tables = ("core.calls", "evaluated.scorecards", "evaluated.evaluations", "ops.llm_calls", "core.messages",
                  "evaluated.sessions", "evaluated.behaviour")  # fmt: skip
        for table in tables:
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
        put_call(session, 1)
        put_session(session, 1)
    rules = policy("scoring: {chats: {enabled: true}}")
    counts = score(database, scorer(Judge(answer=with_note), rules), Chosen(DAY, DAY), "run")
    assert counts.scored == 2
    yield database


def red(database: Warehouse, name: str | None = None) -> set[str]:
    chosen = [(table, rule) for table, rule in CHOSEN if name in (None, f"{'.'.join(table.table)}.{rule.name}")]
    found = judge(database, Span(DAY, DAY), chosen)
    return {f"{'.'.join(one.asset_key.path)}.{one.check_name}" for one in found if not one.passed and one.asset_key}


def test_every_check_is_broken_once() -> None:
    assert {f"{table.table[0]}.{table.table[1]}.{rule.name}" for table, rule in CHOSEN} == BREAKS.keys()


def test_what_a_run_writes_is_green(scored: Warehouse) -> None:
    assert red(scored) == set()


@pytest.mark.parametrize("name", BREAKS)
def test_a_contradiction_is_seen(name: str, scored: Warehouse) -> None:
    with scored.connect() as session:
        assert session.execute(BREAKS[name]).rowcount > 0  # type: ignore[arg-type]
    assert red(scored, name) == {name}


def test_an_answer_that_must_be_repaired_is_none_for_a_card(scored: Warehouse) -> None:
    """Nor is a refused one; of a talk without marks nobody expects an answer."""
    name = "evaluated.scorecards.every_card_has_its_answers"
    for state in ("unrepaired", "refused"):
        with scored.connect() as session:
            session.execute("update evaluated.evaluations set state = %s", [state])
        assert red(scored, name) == {name}
    with scored.connect() as session:
        session.execute("update evaluated.scorecards set state = 'unscored', reason = 'not_proved'")
    assert red(scored, name) == {name}, "claims that could not be proved were answers as well"
    with scored.connect() as session:
        session.execute("delete from evaluated.scorecard_criteria")
    assert red(scored, name) == set()
