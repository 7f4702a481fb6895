"""The score of a session: the contract's example of section 6 with its numbers, and what may not change it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.scores import Mark, score_of

EXAMPLE = [Mark("greets", 30, 1, 1), Mark("asks", 30, 1, 0), Mark("offers", 40, 1, "not_applicable")]


def test_example_of_the_contract() -> None:
    assert (score_of(EXAMPLE).final, score_of(EXAMPLE).raw) == (Fraction(50), Fraction(50))
    failed = score_of([*EXAMPLE, Mark("rude", 0, 1, 0, fails_all=True)])
    assert (failed.final, failed.raw, failed.is_auto_fail) == (Fraction(0), Fraction(50), True)


def test_without_an_applicable_weight_there_is_no_score() -> None:
    assert score_of([Mark("a", 30, 5, "not_applicable")])[:3] == (None, None, False)
    assert score_of([]).final is None
    assert score_of([Mark("a", 0, 5, 5)]).final is None
    failed = score_of([Mark("a", 30, 5, "not_applicable", fails_all=True)])
    assert (failed.final, failed.raw) == (Fraction(0), None)


def test_want_of_evidence_counts_as_not_applicable_and_is_reported() -> None:
    score = score_of([Mark("a", 30, 1, 1), Mark("b", 70, 1, "insufficient_evidence")])
    assert (score.final, score.without_evidence) == (Fraction(100), ("b",))


@pytest.mark.parametrize("wrong", [Mark("a", 1, 5, 6), Mark("a", 1, 5, -1), Mark("a", -1, 5, 1), Mark("a", 1, 0, 0)])
def test_a_mark_outside_its_scale_is_refused(wrong: Mark) -> None:
    with pytest.raises(ValueError, match="'a'"):
        score_of([wrong])


MARKS = st.builds(
    lambda weight, best, share, left_out: Mark(
        "c", weight, best, "not_applicable" if left_out else round(share * best)
    ),
    st.integers(1, 100),
    st.integers(1, 10),
    st.floats(0, 1),
    st.booleans(),
)


@given(st.lists(MARKS, max_size=8), st.integers(1, 9))
def test_score_is_an_average_of_shares(marks: list[Mark], factor: int) -> None:
    score = score_of(marks).final
    shares = [mark.given / mark.best for mark in marks if not isinstance(mark.given, str)]
    assert (score is None) == (not shares)
    if score is not None:
        assert min(shares) * 100 - 1e-9 <= score <= max(shares) * 100 + 1e-9
    # neither the unit of the weights nor a criterion that does not apply changes it
    scaled = [mark._replace(weight=mark.weight * factor) for mark in marks]
    assert score_of([*scaled, Mark("other", 50, 3, "not_applicable")]).final == score
