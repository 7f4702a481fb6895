"""When a criterion may be shown and when it counts: each limit of section 10 from both sides, and its figures."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from conversations.scoring.agreement import Categories, Item
from conversations.scoring.gates import Answers, Measured, gate, measured

GOOD = Measured(
    labelled=200,
    human_items=50,
    kappa=Fraction(70, 100),
    interval=None,
    alpha=None,
    ac1=None,
    human_kappa=Fraction(60, 100),
    repeated=100,
    flip_rate=Fraction(5, 100),
    answers=400,
    marks=300,
    applicable=400,
    verified_share=Fraction(1),
    insufficient_share=Fraction(20, 100),
)
"""Exactly at every limit: counted."""
LITTLE = Fraction(1, 10**9)


def test_at_every_limit_it_counts() -> None:
    assert gate(GOOD) == ("counted", ())


@pytest.mark.parametrize(
    ("fields", "state", "reasons"),
    [
        ({"labelled": 199}, "calibration", ("few_labels",)),
        ({"labelled": 0}, "calibration", ("few_labels",)),
        ({"kappa": Fraction(70, 100) - LITTLE}, "published", ("kappa_below_counting",)),
        ({"kappa": Fraction(60, 100)}, "published", ("kappa_below_counting",)),
        ({"kappa": Fraction(60, 100) - LITTLE}, "not_published", ("kappa_low",)),
        ({"kappa": None}, "not_published", ("kappa_unknown",)),
        ({"kappa": Fraction(1), "human_kappa": Fraction(60, 100) - LITTLE}, "not_published", ("humans_disagree",)),
        ({"human_kappa": None, "human_items": 0}, "not_published", ("humans_unknown",)),
        ({"human_items": 49}, "not_published", ("humans_unknown",)),
        ({"flip_rate": Fraction(5, 100) + LITTLE}, "not_published", ("flips",)),
        ({"flip_rate": None, "repeated": 0}, "not_published", ("flips_unknown",)),
        ({"repeated": 49}, "not_published", ("flips_unknown",)),
        ({"verified_share": 1 - LITTLE}, "not_published", ("quotes",)),
        ({"insufficient_share": Fraction(20, 100) + LITTLE}, "not_published", ("insufficient",)),
        ({"verified_share": None}, "not_published", ("no_answers",)),
        ({"insufficient_share": None}, "not_published", ("no_answers",)),
        ({"labelled": 10, "kappa": None, "human_kappa": None, "flip_rate": None}, "calibration",
         ("few_labels", "kappa_unknown", "humans_unknown", "flips_unknown")),
        ({"kappa": Fraction(-1), "flip_rate": Fraction(1), "verified_share": Fraction(0)}, "not_published",
         ("kappa_low", "flips", "quotes")),
    ],
)  # fmt: skip
def test_one_step_beyond_a_limit(fields: dict[str, Any], state: str, reasons: tuple[str, ...]) -> None:
    assert gate(GOOD._replace(**fields)) == (state, reasons)


def test_figures_of_a_criterion() -> None:
    people = {"a": 1, "b": 1}
    items = [
        *(Item(f"y{number}", 1, people) for number in range(6)),
        *(Item(f"n{number}", 0, {"a": 0}) for number in range(3)),
        Item("wrong", 1, {"a": 0, "b": 0}),
        Item("silent judge", "insufficient_evidence", {"a": 1}),
        Item("silent person", 1, {"a": "insufficient_evidence"}),
    ]
    found = measured(
        items,
        Categories(1),
        Answers(total=40, marks=30, verified=27, insufficient=6, not_applicable=4),
        [(1, 1), (1, 0), (0, "insufficient_evidence"), (0, 0)],
        judge=("sales", 2, "f" * 64, "openai/x"),
        criterion="greeting",
    )
    # the silent judge's talk is labelled and not compared; the silent person's is no label
    assert found.labelled == 11
    # ten compared, one apart; judge 7 yes, people 6 yes: by chance 7 x 4 + 3 x 6 of 100
    assert found.kappa == 1 - Fraction(1, 10) / Fraction(46, 100)
    assert found.human_items == 7 and found.human_kappa == 1
    assert found.repeated == 4 and found.flip_rate == Fraction(1, 2)
    assert found.verified_share == Fraction(27, 30) and found.insufficient_share == Fraction(6, 36)
    assert found.interval is not None and found.interval.low < found.kappa <= found.interval.high


def test_a_judge_that_has_answered_nothing_is_unknown_in_everything() -> None:
    found = measured(
        [], Categories(1), Answers(0, 0, 0, 0, 0), [], judge=("sales", 1, "0" * 64, "m"), criterion="greeting"
    )
    assert found == (0, 0, None, None, None, None, None, 0, None, 0, 0, 0, None, None)
    assert gate(found).state == "calibration"
