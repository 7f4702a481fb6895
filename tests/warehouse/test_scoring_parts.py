"""Long talks, part by part: after one that nobody will answer the others are not bought; what is paid for is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conversations.scoring.shapes import Answer, Problems, Request
from resources.scoring.plan import Priced, plan
from resources.scoring.run import Counts, score
from resources.scoring.subjects import Chosen
from resources.warehouse.engine import Warehouse
from tests.scoring import DAY, Judge, full_marks, policy, put_call, put_rubrics, scorer, talk

CHOSEN = Chosen(DAY, DAY)
RULES = policy("scoring: {chunk_characters: 2000, max_chunks: 6}")
TABLES = ("core.calls", "evaluated.scorecards", "evaluated.evaluations", "ops.llm_calls", "reference.rubrics")


@pytest.fixture(autouse=True)
def _long_talk(database: Warehouse) -> Iterator[None]:
    """A talk of four parts."""
    said = [*talk(1)]
    while sum(len(text) for _, text in said) < 6_500:
        said.extend((who, f"{text} Ещё раз, {len(said)}.") for who, text in talk(len(said)))
    with database.connect() as session:
        for table in TABLES:
            session.execute(f"delete from {table}")  # type: ignore[arg-type]
        put_rubrics(session)
        put_call(session, 1, phrases=said)
    yield


def run(database: Warehouse, judge: Judge, name: str) -> Counts:
    return score(database, scorer(judge, RULES), CHOSEN, name)


def cards(database: Warehouse) -> list[tuple[Any, ...]]:
    with database.connect() as session:
        return session.execute(
            "select state, reason, cardinality(evaluation_keys) from evaluated.scorecards where judge = 'model'"
        ).fetchall()


def refusing(part: int) -> Judge:
    def answer(request: Request) -> Answer | Problems:
        return Problems("refused", "", False) if request.part == part else full_marks(request)

    return Judge(answer=answer)


def test_all_parts_make_one_card(database: Warehouse) -> None:
    judge = Judge()
    assert run(database, judge, "run").calls == 4
    assert [one.part for one in judge.requests] == [0, 1, 2, 3]
    assert cards(database) == [("scored", None, 4)]


@pytest.mark.parametrize("part", [0, 1, 3])
def test_a_part_that_is_refused_for_good_ends_the_buying_of_its_talk(database: Warehouse, part: int) -> None:
    judge = refusing(part)
    counts = run(database, judge, "first")
    assert (counts.calls, counts.unscored, counts.reasons) == (part + 1, 1, {"refused": 1})
    assert [one.part for one in judge.requests] == [*range(part + 1)]
    assert cards(database) == [("unscored", "refused", 4)]
    # nobody buys the rest later, and a dry run says so
    later = Judge()
    counts = run(database, later, "second")
    assert (counts.calls, counts.cached, counts.unscored, counts.cards_changed) == (0, 1, 1, 0)
    planned = plan(database, scorer(later, RULES), CHOSEN, lambda _: Priced(100, 700))
    assert (planned.total.to_buy, planned.total.questions, planned.total.cached) == (0, 0, 1)


def test_an_outage_leaves_the_other_parts_to_the_next_run(database: Warehouse) -> None:
    judge = Judge(answer=lambda request: None if request.part == 2 else full_marks(request))
    counts = run(database, judge, "first")
    assert (counts.calls, counts.reasons) == (3, {"unavailable": 1})
    judge = Judge()
    counts = run(database, judge, "second")
    assert (counts.calls, counts.scored) == (2, 1) and [one.part for one in judge.requests] == [2, 3]
