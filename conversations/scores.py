"""The score of one session out of the marks of its criteria (contract, section 6).

Here: weights, criteria that do not count, the automatic fail. Not here: who gives marks and whether a quote proves them
(scoring by a rubric), averages over sessions (the marts).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm
from typing import Literal, NamedTuple, TypeAlias

Unscored: TypeAlias = Literal["not_applicable", "insufficient_evidence"]


class Mark(NamedTuple):
    """What one criterion of a rubric came to."""

    criterion: str
    weight: int
    best: int
    """The highest mark of the criterion's scale, above 0."""
    given: int | Unscored
    """0 to ``best``; or why there is no mark, in which case the weight does not count."""
    fails_all: bool = False
    """An automatic fail: whatever the other marks are, the session has failed."""


class Score(NamedTuple):
    """A session's score from 0 to 100."""

    final: Fraction | None
    """0 after an automatic fail; ``None`` where no criterion applied."""
    raw: Fraction | None
    """What the marks alone give; kept beside an automatic fail."""
    is_auto_fail: bool
    without_evidence: tuple[str, ...]
    """Criteria left out for want of evidence, to be reported."""


def score_of(marks: Iterable[Mark]) -> Score:
    """100 x sum(weight x mark / best) / sum(weight) over the criteria that have a mark.

    >>> thirds = [Mark("a", 30, 1, 1), Mark("b", 30, 1, 0), Mark("c", 40, 1, "not_applicable")]
    >>> float(score_of(thirds).final)
    50.0

    Raises:
        ValueError: a mark outside its scale, or a weight below 0.
    """
    marks = list(marks)
    for mark in marks:
        is_on_scale = isinstance(mark.given, str) or 0 <= mark.given <= mark.best
        if mark.best <= 0 or mark.weight < 0 or not is_on_scale:
            raise ValueError(f"criterion {mark.criterion!r}: a mark outside of its scale")
    counted = [(mark.weight, mark.given, mark.best) for mark in marks if not isinstance(mark.given, str)]
    weight = sum([each for each, _, _ in counted])
    # over one denominator: a sum of fractions costs ten times as much
    common = lcm(*[best for _, _, best in counted])
    given = sum([each * mark * (common // best) for each, mark, best in counted])
    raw = Fraction(100 * given, common * weight) if weight else None
    is_auto_fail = any(mark.fails_all for mark in marks)
    return Score(
        final=Fraction() if is_auto_fail else raw,
        raw=raw,
        is_auto_fail=is_auto_fail,
        without_evidence=tuple(mark.criterion for mark in marks if mark.given == "insufficient_evidence"),
    )
