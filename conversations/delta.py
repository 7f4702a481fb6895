"""This week against the week before: nine states, a change only where one may be shown, an arrow only where one is due.

Here: the comparison of two rows of one manager or channel and metric (contract, section 7 and ruling 13), and which
rows of a week may be called main changes. Not here: intervals (``conversations.intervals``,
``conversations.resampling``), the list of metrics (``conversations.metrics``), which weeks follow each other, reading
and writing, words for people.

Sizes of changes are compared in whole numbers: 5 points are 5 points, whatever 0.15 - 0.10 is in floating point.
"""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from conversations.intervals import Share, discoveries, newcombe, newcombe_p, share_of
from conversations.metrics import (
    PERCENTILE_PERCENT,
    PERCENTILE_SECONDS,
    SCORE_POINTS,
    SHARE_POINTS,
    Kind,
    Metric,
)
from conversations.resampling import resampled_mean, resampled_percentile, seed_of

Number: TypeAlias = int | Decimal | Fraction | float

COMPLETE = Fraction(98, 100)
"""Least completeness of both weeks (default of the contract)."""

_SCORE_SCALE = 1_000_000


class DeltaStatus(StrEnum):
    """What a row of a delta table says. The first that holds, in this order (ruling 13)."""

    NO_PREVIOUS_WEEK = "no_previous_week"
    """There is no row for the previous ISO week: a new manager, a return from leave, the first week of the system."""
    NOT_COMPARABLE = "not_comparable"
    """The weeks were judged by different definitions, rubrics, calendars or targets."""
    DATA_INCOMPLETE = "data_incomplete"
    """The completeness of either week is below the limit or not known."""
    PREVIOUS_EMPTY = "previous_empty"
    """The previous week has a row, with denominator 0."""
    CURRENT_EMPTY = "current_empty"
    """This week's denominator is 0."""
    LOW_SAMPLE = "low_sample"
    """Either denominator is below the metric's minimum."""
    NO_CHANGE_DETECTED = "no_change_detected"
    """The interval contains 0, or the change is below the practical size."""
    IMPROVED = "improved"
    """The interval excludes 0 and the change is large enough, in the metric's good direction."""
    WORSENED = "worsened"
    """The same, in the bad direction."""


WITH_DELTA = frozenset({DeltaStatus.NO_CHANGE_DETECTED, DeltaStatus.IMPROVED, DeltaStatus.WORSENED})
"""The states that have a delta; in all others it is NULL (invariant 11)."""
WITH_ARROW = frozenset({DeltaStatus.IMPROVED, DeltaStatus.WORSENED})


@dataclass(frozen=True, slots=True)
class Week:
    """One metric of one manager or channel in one ISO week.

    ``sessions`` holds the cases by session id: 1 (hit) or 0 for a share, whole seconds for a percentile, the session's
    one score from 0 to 100 for a score (counted to the sixth decimal). Sessions without a case may be there or not.

    ``rules`` is anything that is equal for two weeks exactly when both were judged by the same definition, rubric,
    calendar and target versions. It should name versions, not values that happened to occur: a manager who had no
    first replies last week did not change his target.

    ``has_row`` says whether the row is in the table (``manager_has_row``, ``channel_has_row``); an empty week with a
    row differs from a week without one. ``completeness`` is a share from 0 to 1, None if not known.
    """

    sessions: Mapping[str, Sequence[Number]]
    completeness: Number | None
    rules: Hashable
    has_row: bool = True


@dataclass(frozen=True, slots=True)
class Delta:
    """A row of ``manager_week_delta`` or ``channel_week_delta``.

    Values, delta and bounds are in the metric's unit: shares from 0 to 1 (not points), seconds, points of a score.
    ``value`` is None when ``n`` is 0; the previous two are None without a previous row. ``delta``, its 95 % bounds and
    ``p_value`` are None unless the status is improved, worsened or no_change_detected. ``deff`` is 1 but for shares.
    """

    status: DeltaStatus
    value: float | None
    n: int
    previous_value: float | None = None
    previous_n: int | None = None
    delta: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    deff: float = 1.0
    previous_deff: float = 1.0


def manager_has_row(*, was_assigned: bool, has_written: bool, owns_settled_wait: bool) -> bool:
    """Ruling 13: whether a manager has a row in a week, even an empty one. Each flag is about that week."""
    return was_assigned or has_written or owns_settled_wait


def channel_has_row(*, is_active: bool) -> bool:
    """Ruling 13: every active channel has a row in every week, also one in which nobody wrote."""
    return is_active


def delta(
    metric: Metric,
    subject: str,
    week: str,
    version: str,
    current: Week,
    previous: Week | None,
    complete: Number = COMPLETE,
) -> Delta:
    """Compare a week with the ISO week before it.

    Args:
        metric: what is compared; see ``conversations.metrics``.
        subject: id of the manager or channel, "none" for the row without a manager; part of the seed.
        week: key of the current week, like ``2026-W47``; part of the seed.
        version: definition version as text; part of the seed.
        current: the row of the current week.
        previous: the row of the week directly before, found whatever its versions; None or ``has_row=False`` if there
            is none. An older week is never put in its place.
        complete: least completeness of both weeks.

    Raises:
        ValueError: the current week has no row, or the cases do not fit the metric's kind.
        TypeError: seconds or hits are no whole numbers.
    """
    if not current.has_row:
        raise ValueError(f"{subject} has no row in {week}: there is nothing to compare")
    now = _figure(metric, current.sessions)
    if previous is None or not previous.has_row:
        return Delta(DeltaStatus.NO_PREVIOUS_WEEK, now.value, now.n, deff=now.deff)
    before = _figure(metric, previous.sessions)
    found = Delta(
        status=DeltaStatus.LOW_SAMPLE,
        value=now.value,
        n=now.n,
        previous_value=before.value,
        previous_n=before.n,
        deff=now.deff,
        previous_deff=before.deff,
    )
    status = _status_without_interval(metric, current, previous, now, before, complete)
    if status is not None:
        return replace(found, status=status)
    low, high, p_value = _interval(metric, now, before, seed_of(subject, metric.name, week, version))
    change = _change(now, before)
    status = DeltaStatus.NO_CHANGE_DETECTED
    if not low <= 0 <= high and is_practical(metric, now.fraction, before.fraction):
        status = DeltaStatus.IMPROVED if change * metric.sign > 0 else DeltaStatus.WORSENED
    return replace(found, status=status, delta=change, low=low, high=high, p_value=p_value)


def headlines(rows: Sequence[Delta]) -> list[bool]:
    """Which rows may be called main changes: those with an arrow that pass Benjamini-Hochberg at 10 %.

    The family are all rows with an interval among ``rows``, those without an arrow too, so pass all rows of one week,
    of managers and of channels. A row that passes but is smaller than the practical size has no arrow and is no
    headline.
    """
    family = [row.p_value for row in rows if row.p_value is not None]
    passes = iter(discoveries(family))
    return [row.p_value is not None and next(passes) and row.status in WITH_ARROW for row in rows]


def is_practical(metric: Metric, now: tuple[int, int], before: tuple[int, int]) -> bool:
    """Whether a change is large enough for an arrow; both figures as (numerator, denominator), in whole numbers.

    >>> from conversations.metrics import metric
    >>> is_practical(metric("no_reply_share"), (3, 20), (2, 20)), 0.15 - 0.10 >= 0.05
    (True, False)
    """
    scale = now[1] * before[1]
    change = abs(now[0] * before[1] - before[0] * now[1])
    if metric.kind is Kind.SHARE:
        return 100 * change >= SHARE_POINTS * scale
    if metric.kind is Kind.SCORE:
        return change >= SCORE_POINTS * scale
    is_large_share = 100 * change >= PERCENTILE_PERCENT * before[0] * now[1]
    return change >= PERCENTILE_SECONDS * scale and is_large_share


# --- figures of one week ----------------------------------------------------------------------------------------------


class _Figure(NamedTuple):
    """The exact value of a week and what its interval needs."""

    n: int
    fraction: tuple[int, int]
    """Value as numerator and denominator; the denominator is 0 without cases."""
    cases: dict[str, list[int]]
    """Whole numbers by session, empty sessions left out; scores in millionths."""
    share: Share | None

    @property
    def value(self) -> float | None:
        return self.fraction[0] / self.fraction[1] if self.n else None

    @property
    def deff(self) -> float:
        return self.share.deff if self.share is not None else 1.0


def _figure(metric: Metric, sessions: Mapping[str, Sequence[Number]]) -> _Figure:
    as_whole = _millionths if metric.kind is Kind.SCORE else operator.index
    cases = {key: [as_whole(value) for value in values] for key, values in sessions.items() if len(values)}
    _check(metric, cases)
    n = sum(map(len, cases.values()))
    if metric.kind is Kind.SHARE:
        share = share_of((sum(hits), len(hits)) for hits in cases.values())
        return _Figure(n, (share.hits, share.cases), cases, share)
    if metric.kind is Kind.SCORE:
        return _Figure(n, (sum(_flat(cases)), n * _SCORE_SCALE), cases, None)
    return _Figure(n, _percentile(sorted(_flat(cases)), metric.percent), cases, None)


def _check(metric: Metric, cases: Mapping[str, Sequence[int]]) -> None:
    if metric.kind is Kind.SHARE and any(value not in (0, 1) for value in _flat(cases)):
        raise ValueError(f"{metric.name}: a case is a hit (1) or not (0)")
    if metric.kind is Kind.PERCENTILE and any(value < 0 for value in _flat(cases)):
        raise ValueError(f"{metric.name}: a duration is not negative")
    if metric.kind is Kind.SCORE and any(len(values) > 1 for values in cases.values()):
        raise ValueError(f"{metric.name}: a session counts once, with one score")
    if metric.kind is Kind.SCORE and not all(0 <= value <= 100 * _SCORE_SCALE for value in _flat(cases)):
        raise ValueError(f"{metric.name}: a score lies between 0 and 100")


def _percentile(values: Sequence[int], percent: int) -> tuple[int, int]:
    """Linear interpolation as by ``percentile_cont``, in hundredths."""
    if not values:
        return 0, 0
    rank, rest = divmod((len(values) - 1) * percent, 100)
    return values[rank] * (100 - rest) + (values[rank + 1] * rest if rest else 0), 100


def _millionths(value: Number) -> int:
    return round(Fraction(str(value)) * _SCORE_SCALE)


def _flat(cases: Mapping[str, Sequence[int]]) -> Iterator[int]:
    return (value for values in cases.values() for value in values)


# --- the comparison ---------------------------------------------------------------------------------------------------


def _status_without_interval(
    metric: Metric, current: Week, previous: Week, now: _Figure, before: _Figure, complete: Number
) -> DeltaStatus | None:
    """The first state that keeps a change from being computed (ruling 13), None if nothing does."""
    if current.rules != previous.rules:
        return DeltaStatus.NOT_COMPARABLE
    if not all(_is_complete(week.completeness, complete) for week in (current, previous)):
        return DeltaStatus.DATA_INCOMPLETE
    if before.n == 0:
        return DeltaStatus.PREVIOUS_EMPTY
    if now.n == 0:
        return DeltaStatus.CURRENT_EMPTY
    if min(now.n, before.n) < metric.minimum:
        return DeltaStatus.LOW_SAMPLE
    return None


def _is_complete(completeness: Number | None, least: Number) -> bool:
    """By the decimal text of both, so that 0.98 from any source is 98 %."""
    return completeness is not None and Fraction(str(completeness)) >= Fraction(str(least))


def _interval(metric: Metric, now: _Figure, before: _Figure, seed: int) -> tuple[float, float, float]:
    if now.share is not None and before.share is not None:
        return (*newcombe(now.share, before.share), newcombe_p(now.share, before.share))
    if metric.kind is Kind.PERCENTILE:
        return resampled_percentile(now.cases, before.cases, metric.percent, seed)
    scores, earlier = ({key: values[0] for key, values in week.cases.items()} for week in (now, before))
    return resampled_mean(scores, earlier, _SCORE_SCALE, seed)


def _change(now: _Figure, before: _Figure) -> float:
    """The difference, rounded once."""
    (top, bottom), (top_before, bottom_before) = now.fraction, before.fraction
    return (top * bottom_before - top_before * bottom) / (bottom * bottom_before)
