"""Invented weeks of sessions for the tests of weekly deltas: the smallest that show a rule.

Here: builders. Not here: what is expected of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from conversations.delta import Delta, Number, Week, delta
from conversations.metrics import metric

SHARE = metric("no_reply_share")
P50 = metric("reply_p50_business_seconds")
SCORE = metric("llm_score_avg")


def spread(hits: int, cases: int) -> dict[str, list[int]]:
    """Hits over sessions as evenly as can be, so that deff is 1: one hit in each, sizes that differ by one at most."""
    sessions = max(1, hits)
    sizes = [cases // sessions + (number < cases % sessions) for number in range(sessions)]
    return {f"s{number}": [int(hits > 0)] + [0] * (size - 1) for number, size in enumerate(sizes)}


def single(values: Sequence[Number]) -> dict[str, list[Number]]:
    """One case per session."""
    return {f"s{number:05}": [value] for number, value in enumerate(values)}


def week(
    sessions: dict[str, list[int]] | dict[str, list[Number]],
    completeness: Number | None = 1,
    rules: object = ("definition 1", "calendar 1", "targets 1"),
    has_row: bool = True,
) -> Week:
    return Week(sessions, completeness, rules, has_row)


def shares(now: tuple[int, int], before: tuple[int, int] | None) -> Delta:
    """The delta of a no_reply share without clustering."""
    return delta(SHARE, "anna", "2026-W47", "1", week(spread(*now)), None if before is None else week(spread(*before)))


def medians(now: Sequence[int], before: Sequence[int]) -> Delta:
    """The delta of a median reply time, one wait per session, in seconds."""
    return delta(P50, "anna", "2026-W47", "1", week(single(now)), week(single(before)))


def scores(now: Sequence[Number], before: Sequence[Number]) -> Delta:
    return delta(SCORE, "anna", "2026-W47", "1", week(single(now)), week(single(before)))
