"""Weeks in which nothing changed, and weeks in which something did: how often deltas speak, how often they are right.

Waits come in sessions that share their luck. Seeds are fixed, so each figure is the same in every run; the bounds leave
four standard errors to the figures, which are printed (``pytest -s``), for another numpy that draws other weeks.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, sqrt

import numpy as np
import pytest

from conversations.delta import WITH_ARROW, Delta, Week, delta, headlines
from conversations.intervals import Share, newcombe
from conversations.metrics import metric

Rng = np.random.Generator
NO_REPLY, P50, SCORE = (metric(name) for name in ("no_reply_share", "reply_p50_business_seconds", "llm_score_avg"))


def share_week(rng: Rng, sessions: int, rate: float, alike: float) -> Week:
    """Sessions of 1, 2, 3 ... waits with a rate of their own; ``alike`` is the correlation of waits of one session."""
    own = rng.beta(rate * (1 - alike) / alike, (1 - rate) * (1 - alike) / alike, size=sessions)
    sizes = rng.geometric(0.45, size=sessions)
    drawn = zip(own, sizes, strict=True)
    return Week({str(n): (rng.random(size) < p).astype(int).tolist() for n, (p, size) in enumerate(drawn)}, 1, "1")


def wait_week(rng: Rng, sessions: int, median: float) -> Week:
    """Lognormal waits around a median; a session has its own pace."""
    pace = rng.normal(log(median), 0.6, size=sessions)
    sizes = rng.geometric(0.5, size=sessions)
    drawn = zip(pace, sizes, strict=True)
    sessions_by_id = {
        str(n): np.exp(rng.normal(mu, 0.6, size)).astype(int).tolist() for n, (mu, size) in enumerate(drawn)
    }
    return Week(sessions_by_id, 1, "1")


def score_week(rng: Rng, sessions: int, average: float) -> Week:
    return Week(
        {str(n): [float(score)] for n, score in enumerate(np.clip(rng.normal(average, 8, sessions), 0, 100).round(2))},
        1,
        "1",
    )


def rows_of(by: object, weeks: int, make: Callable[[], tuple[Week, Week]]) -> list[Delta]:
    rows = [delta(by, str(number), "2026-W47", "1", *make()) for number in range(weeks)]  # type: ignore[arg-type]
    return [row for row in rows if row.delta is not None]


def share_of(holds: list[bool]) -> float:
    return sum(holds) / len(holds)


def margin(rate: float, trials: int) -> float:
    return 4 * sqrt(rate * (1 - rate) / trials)


def covers(row: Delta, truth: float) -> bool:
    assert row.low is not None and row.high is not None
    return row.low <= truth <= row.high


@pytest.mark.parametrize("alike", [0.001, 0.25])
def test_shares_without_a_change_rarely_get_an_arrow(alike: float) -> None:
    rng = np.random.default_rng(4)
    pairs = [(share_week(rng, 45, 0.25, alike), share_week(rng, 45, 0.25, alike)) for _ in range(1000)]
    source = iter(pairs)
    rows = rows_of(NO_REPLY, len(pairs), lambda: next(source))
    arrows = share_of([row.status in WITH_ARROW for row in rows])
    five_points = share_of([abs(row.delta or 0) >= 0.05 for row in rows])
    covered = share_of([covers(row, 0) for row in rows])
    as_if_independent = share_of([outside(*pair) for pair in pairs])
    print(f"alike {alike}: arrows {arrows:.3f}, 5-points rule {five_points:.3f}, covered {covered:.3f}, "
          f"arrows with deff 1 {as_if_independent:.3f}")  # fmt: skip
    assert len(rows) == 1000
    assert arrows <= 0.05 + margin(0.05, 1000)
    assert five_points > 5 * arrows
    assert abs(covered - 0.95) <= margin(0.05, 1000)
    if alike > 0.1:
        assert as_if_independent > 1.5 * arrows


def outside(now: Week, before: Week) -> bool:
    """What Newcombe would say of the waits, were they independent."""
    pooled = [
        Share(sum(map(sum, week.sessions.values())), sum(map(len, week.sessions.values()))) for week in (now, before)
    ]
    low, high = newcombe(*pooled)
    return not low <= 0 <= high


def test_the_interval_covers_a_true_change_of_clustered_shares() -> None:
    rng = np.random.default_rng(5)
    rows = rows_of(NO_REPLY, 800, lambda: (share_week(rng, 80, 0.15, 0.2), share_week(rng, 80, 0.35, 0.2)))
    covered = share_of([covers(row, -0.20) for row in rows])
    found = share_of([row.status == "improved" for row in rows])
    print(f"covered {covered:.3f}, improved {found:.3f}")
    assert abs(covered - 0.95) <= margin(0.05, 800)
    assert found > 0.8
    assert not any(row.status == "worsened" for row in rows)


def test_medians_and_scores_without_a_change_rarely_get_an_arrow() -> None:
    rng = np.random.default_rng(6)
    medians = rows_of(P50, 400, lambda: (wait_week(rng, 40, 900), wait_week(rng, 40, 900)))
    scores = rows_of(SCORE, 400, lambda: (score_week(rng, 30, 75), score_week(rng, 30, 75)))
    for name, rows, enough in (("p50", medians, 0.20), ("score", scores, 0.05)):
        arrows = share_of([row.status in WITH_ARROW for row in rows])
        covered = share_of([covers(row, 0) for row in rows])
        large = share_of([abs((row.delta or 0) / (row.previous_value or 1)) >= enough for row in rows])
        print(f"{name}: arrows {arrows:.3f}, covered {covered:.3f}, apart by {enough:.0%} or more {large:.3f}")
        assert arrows <= 0.05 + margin(0.05, 400)
        assert abs(covered - 0.95) <= margin(0.05, 400)


def test_real_changes_of_medians_and_scores_are_found() -> None:
    rng = np.random.default_rng(7)
    medians = rows_of(P50, 100, lambda: (wait_week(rng, 60, 1800), wait_week(rng, 60, 900)))
    scores = rows_of(SCORE, 100, lambda: (score_week(rng, 40, 82), score_week(rng, 40, 74)))
    slower = share_of([row.status == "worsened" for row in medians])
    better = share_of([row.status == "improved" for row in scores])
    print(f"twice as slow: {slower:.2f}, 8 points better: {better:.2f}")
    assert min(slower, better) > 0.8


def test_headlines_of_weeks_without_a_change_are_rare() -> None:
    """A digest over 12 managers says "changed" in about every second week without the joint test."""
    rng = np.random.default_rng(8)
    weeks = [
        rows_of(NO_REPLY, 12, lambda: (share_week(rng, 60, 0.25, 0.1), share_week(rng, 60, 0.25, 0.1)))
        for _ in range(150)
    ]
    with_arrow = share_of([any(row.status in WITH_ARROW for row in rows) for rows in weeks])
    with_headline = share_of([any(headlines(rows)) for rows in weeks])
    print(f"weeks with an arrow {with_arrow:.3f}, with a headline {with_headline:.3f}")
    assert with_headline <= 0.10 + margin(0.10, 150)
    assert with_arrow > 2 * with_headline
