"""Gates in the warehouse: whose labels count for whom, what a new judge begins with, what stays of a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from conversations.scoring.labelling import Judge, Label
from resources.labels.store import Measurement, keep, measure, population, unknown, write_gates
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from tests.cards import MODEL, PROMPT, Card, put_cards, put_rubric

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
JUDGE = Judge("sales_calls", 1, PROMPT, MODEL)
TALKS = 200
RIGHT: list[Card] = [(number % 2, number % 3) for number in range(TALKS)]


@pytest.fixture
def loader(fresh_database: Warehouse) -> Warehouse:
    """Everything is done as the loader, whose work it is; rows are put by the owner."""
    put_rubric(fresh_database)
    return fresh_database.as_role(Role.LOADER)


def label_all(loader: Warehouse, calls: Sequence[str], cards: Sequence[Card], judge: Judge = JUDGE) -> None:
    """Two people agree with the given marks."""
    labels = [
        Label(judge, "call", call_id, criterion, grader, given)
        for call_id, card in zip(calls, cards, strict=True)
        for criterion, given in zip(("greeting", "offer"), card, strict=True)
        for grader in ("anna", "boris")
    ]
    with loader.connect(autocommit=True) as sql:
        keep(sql, labels, NOW)


def repeat_all(owner: Warehouse, calls: Sequence[str], judge: Judge = JUDGE, flips: int = 0) -> None:
    """Every answer was asked for once more; the first ``flips`` came out otherwise."""
    with owner.connect() as sql, sql.cursor() as cursor:
        cursor.executemany(
            "insert into evaluated.judge_repeats values (%s, %s, %s, %s, %s, %s, 'call', '1', %s, now())",
            [
                (call_id, *judge, criterion, "0" if number < flips else "1")
                for criterion in ("greeting", "offer")
                for number, call_id in enumerate(calls)
            ],
        )


def measured(loader: Warehouse, at: datetime = NOW) -> dict[tuple[str, str], Measurement]:
    with loader.connect() as sql:
        found = measure(sql)
        write_gates(sql, found, at)
    return {(one.judge.model, one.criterion.code): one for one in found}


def gates(owner: Warehouse) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    with owner.connect() as sql:
        rows = sql.execute(
            "select rubric_version, prompt_hash, model, criterion, state, labelled, fell_at"
            " from reference.criterion_gates"
        ).fetchall()
    return {row[:4]: row[4:] for row in rows}


def test_a_judge_that_meets_every_limit_counts(fresh_database: Warehouse, loader: Warehouse) -> None:
    calls = put_cards(fresh_database, RIGHT)
    label_all(loader, calls, RIGHT)
    repeat_all(fresh_database, calls, flips=10)
    found = measured(loader)
    assert {key: one.gate for key, one in found.items()} == {
        (MODEL, "greeting"): ("counted", ()), (MODEL, "offer"): ("counted", ()),
    }  # fmt: skip
    offer = found[MODEL, "offer"].measured
    assert (offer.kappa, offer.alpha, offer.ac1, offer.human_kappa, offer.labelled, offer.human_items) == (
        1,
        1,
        1,
        1,
        200,
        200,
    )
    assert gates(fresh_database)[1, PROMPT, MODEL, "offer"] == ("counted", 200, None)


def test_one_step_from_it_it_does_not(fresh_database: Warehouse, loader: Warehouse) -> None:
    calls = put_cards(fresh_database, RIGHT)
    label_all(loader, calls[1:], RIGHT[1:])
    repeat_all(fresh_database, calls, flips=11)
    assert {one.gate for one in measured(loader).values()} == {("calibration", ("few_labels", "flips"))}
    label_all(loader, calls[:1], RIGHT[:1])
    assert {one.gate for one in measured(loader).values()} == {("not_published", ("flips",))}
    with fresh_database.connect() as sql:
        sql.execute("update evaluated.scorecard_criteria set quote_state = 'missing', quote = null")
    # nobody can quote what was not said: marks of 0 need no quote, the others do
    found = measured(loader)[MODEL, "offer"]
    assert found.gate.reasons == ("flips", "quotes")
    assert (found.measured.marks, found.measured.verified_share) == (sum(offer > 0 for _, offer in RIGHT), 0)


def test_a_new_prompt_model_or_version_starts_at_nothing(fresh_database: Warehouse, loader: Warehouse) -> None:
    calls = put_cards(fresh_database, RIGHT)
    label_all(loader, calls, RIGHT)
    repeat_all(fresh_database, calls)
    measured(loader)
    put_rubric(fresh_database, version=2)
    for judge in (("a" * 64, MODEL, 1), (PROMPT, "openai/other", 1), (PROMPT, MODEL, 2)):
        put_cards(fresh_database, RIGHT, prompt=judge[0], model=judge[1], version=judge[2])
        found = measured(loader)
        # nobody has labelled anything for it: no row, which reads "calibration"
        assert {one.judge for one in found.values()} == {JUDGE}
    assert set(gates(fresh_database)) == {(1, PROMPT, MODEL, "greeting"), (1, PROMPT, MODEL, "offer")}


def test_what_was_measured_stays_when_another_judge_takes_the_talks(
    fresh_database: Warehouse, loader: Warehouse
) -> None:
    calls = put_cards(fresh_database, RIGHT)
    label_all(loader, calls, RIGHT)
    repeat_all(fresh_database, calls)
    measured(loader)
    put_cards(fresh_database, RIGHT[:50], model="openai/other")
    assert measured(loader)[MODEL, "offer"].measured.labelled == 150
    assert gates(fresh_database)[1, PROMPT, MODEL, "offer"] == ("counted", 200, None)


def test_a_fall_is_dated_once_and_forgotten_when_it_is_over(fresh_database: Warehouse, loader: Warehouse) -> None:
    calls = put_cards(fresh_database, RIGHT)
    label_all(loader, calls, RIGHT)
    repeat_all(fresh_database, calls)
    measured(loader)
    label_all(loader, calls, [(1 - greeting, offer) for greeting, offer in RIGHT])
    for day in (22, 23):
        measured(loader, NOW.replace(day=day))
        assert gates(fresh_database)[1, PROMPT, MODEL, "greeting"] == ("not_published", 200, NOW.replace(day=22))
    assert gates(fresh_database)[1, PROMPT, MODEL, "offer"][2] is None
    label_all(loader, calls, RIGHT)
    measured(loader)
    assert gates(fresh_database)[1, PROMPT, MODEL, "greeting"] == ("counted", 200, None)


def test_measuring_again_changes_no_row(fresh_database: Warehouse, loader: Warehouse) -> None:
    calls = put_cards(fresh_database, [(1, 2), (0, 1), (1, 0)])
    label_all(loader, calls, [(1, 2), (1, 1), (0, "not_applicable")])
    with loader.connect() as sql:
        assert write_gates(sql, measure(sql), NOW) == 2
        assert write_gates(sql, measure(sql), NOW.replace(hour=13)) == 0
        assert write_gates(sql, measure(sql, "another"), NOW) == 0


def test_the_population_is_what_the_newest_judge_has_marked(fresh_database: Warehouse, loader: Warehouse) -> None:
    put_rubric(fresh_database, version=2)
    put_cards(fresh_database, RIGHT[:20])
    put_cards(fresh_database, RIGHT[:5], model="openai/new", at=datetime(2026, 11, 21, tzinfo=UTC))
    with loader.connect() as sql:
        found = population(sql, "sales_calls")
        assert {one.judge.model for one in found.talks} == {"openai/new"} and len(found.talks) == 5
        assert {one.stratum for one in found.talks} == {"sales 2026-W47"}
        assert population(sql, "office_calls").talks == []
    put_cards(fresh_database, RIGHT[:2], version=2)
    with loader.connect() as sql:
        assert {one.judge.rubric_version for one in population(sql, "sales_calls").talks} == {2}


def test_a_label_of_a_talk_that_nobody_judged_is_unknown(fresh_database: Warehouse, loader: Warehouse) -> None:
    put_cards(fresh_database, RIGHT[:2])
    with loader.connect() as sql:
        labels = [
            Label(JUDGE, "call", "tbank:1", "offer", "anna", 1),
            Label(JUDGE._replace(model="openai/gone"), "call", "tbank:2", "offer", "anna", 1),
            Label(JUDGE, "session", "tbank:1", "offer", "anna", 1),
            Label(JUDGE._replace(rubric_id="chats"), "call", "tbank:2", "offer", "anna", 1),
        ]
        assert unknown(sql, labels) == {("session", "tbank:1"), ("call", "tbank:2")}
        assert unknown(sql, labels[:2]) == set()
