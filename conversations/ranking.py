"""Which place a manager takes in a week, and what he should train: only as far as the counts carry it.

Here: places by the headline share, the one metric in which a manager is surely worse than his colleagues. Not here:
intervals (``conversations.intervals``), counts (the marts), words and examples (``assets.exports``).

Both are shares of few cases, so both are said with what chance allows: two managers whose 95 % intervals overlap have
no order, and of the many comparisons that a week makes only those count that pass Benjamini-Hochberg at 10 %, as in the
digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conversations.delta import is_practical
from conversations.intervals import Share, discoveries, newcombe, newcombe_p, share_difference, wilson
from conversations.metrics import metric

HEADLINE = "in_target_share"
"""The share that managers are ranked by (contract, section 6)."""
NOBODY = "none"
"""Key of the row "Без менеджера": nobody's waits take no place and need no training."""
TRAINED = (
    "no_reply_share",
    "slow_reply_share",
    "missed_calls_in_target_share",
    "asked_clarifying_share",
    "made_offer_share",
    "has_next_step_share",
)
"""What a person can train, the gravest first. Not here: their complements and ``good_share``, which is made of them."""


class NotRanked(StrEnum):
    """Why a manager has no place. The first that holds."""

    NOBODY = "nobody"
    DATA_INCOMPLETE = "data_incomplete"
    LOW_SAMPLE = "low_sample"


@dataclass(frozen=True, slots=True)
class Standing:
    """One manager in one week."""

    key: str
    team: str | None
    is_complete: bool
    """Whether everything that his figures of this week and of the one before come from is stored (contract, sections 7
    and 8)."""
    shares: Mapping[str, Share]
    """By metric; one without cases is left out or has 0 cases."""


@dataclass(frozen=True, slots=True)
class Place:
    """From which place to which place a manager may stand; both are None where he is not ranked.

    ``low`` and ``high`` bound his headline share, None without cases.
    """

    key: str
    first: int | None
    last: int | None
    low: float | None
    high: float | None
    not_ranked: NotRanked | None = None


@dataclass(frozen=True, slots=True)
class Focus:
    """The metric in which a manager is surely and noticeably worse than others.

    ``low`` and ``high`` bound ``own - others`` (shares from 0 to 1).
    """

    metric: str
    own: Share
    others: Share
    of_team: bool
    """Whether the others are the rest of his team; else all other managers."""
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Training:
    """What the week says about training one manager: ``focus`` is None where nothing is surely worse."""

    focus: Focus | None
    compared: int
    """Metrics with cases enough on both sides; 0: nothing can be said."""


def places(standings: Sequence[Standing]) -> dict[str, Place]:
    """Places by the headline share, among managers with at least 20 cases and complete data.

    A manager stands behind everybody whose interval lies wholly above his, and before everybody whose interval lies
    wholly below; between the others there is no order, so his place is a range. Two managers with overlapping intervals
    share at least one place; of two others, the better one's range begins earlier and ends earlier.
    """
    bounds = {one.key: wilson(one.shares[HEADLINE]) for one in standings if _cases(one, HEADLINE)}
    ranked = {one.key: bounds[one.key] for one in standings if _not_ranked(one) is None}
    found = {}
    for one in standings:
        low, high = bounds.get(one.key, (None, None))
        first = last = None
        if one.key in ranked:
            low, high = ranked[one.key]
            first = 1 + sum(other[0] > high for other in ranked.values())
            last = len(ranked) - sum(other[1] < low for other in ranked.values())
        found[one.key] = Place(one.key, first, last, low, high, _not_ranked(one))
    return found


def trainings(standings: Sequence[Standing]) -> dict[str, Training]:
    """The training focus of each manager, "Без менеджера" left out.

    A focus is a share of ``TRAINED`` with at least the metric's minimum of cases on both sides that is worse than the
    rest of his team (than all other managers where the rest of the team has too few cases, or he has no team) by the
    practical size, whose Newcombe interval on effective sizes excludes 0, and that passes Benjamini-Hochberg among all
    comparisons of the week. Of several the one with the largest difference.
    """
    people = [one for one in standings if one.key != NOBODY]
    complete = [one for one in people if one.is_complete]
    made = {one.key: list(_comparisons(one, complete)) if one.is_complete else [] for one in people}
    family = [comparison for comparisons in made.values() for comparison in comparisons]
    passing = discoveries([newcombe_p(one.own, one.others) for one in family])
    sure = {id(one) for one, passes in zip(family, passing, strict=True) if passes and _is_worse(one)}
    return {
        key: Training(
            max((one for one in comparisons if id(one) in sure), key=_size, default=None),
            len(comparisons),
        )
        for key, comparisons in made.items()
    }


def pooled(shares: Iterable[Share]) -> Share:
    """One share of several groups of sessions; their effective sizes add up.

    >>> pooled([Share(1, 10), Share(4, 10, 2.0)])
    Share(hits=5, cases=20, deff=1.3333333333333333)
    """
    known = [share for share in shares if share.cases]
    cases = sum(share.cases for share in known)
    return Share(sum(share.hits for share in known), cases, cases / sum(one.size for one in known) if known else 1.0)


def _not_ranked(one: Standing) -> NotRanked | None:
    if one.key == NOBODY:
        return NotRanked.NOBODY
    if not one.is_complete:
        return NotRanked.DATA_INCOMPLETE
    return NotRanked.LOW_SAMPLE if _cases(one, HEADLINE) < metric(HEADLINE).minimum else None


def _comparisons(one: Standing, complete: Sequence[Standing]) -> Iterable[Focus]:
    others = [other for other in complete if other.key != one.key]
    team = [other for other in others if one.team is not None and other.team == one.team]
    for name in TRAINED:
        least = metric(name).minimum
        if _cases(one, name) < least:
            continue
        for group, of_team in ((team, True), (others, False)):
            theirs = pooled(other.shares[name] for other in group if name in other.shares)
            if theirs.cases >= least:
                own = one.shares[name]
                yield Focus(name, own, theirs, of_team, *newcombe(own, theirs))
                break


def _is_worse(one: Focus) -> bool:
    declared = metric(one.metric)
    is_worse = share_difference(one.own, one.others) * declared.sign < 0
    is_sure = not one.low <= 0 <= one.high
    is_large = is_practical(declared, (one.own.hits, one.own.cases), (one.others.hits, one.others.cases))
    return is_worse and is_sure and is_large


def _size(one: Focus) -> float:
    return abs(share_difference(one.own, one.others))


def _cases(one: Standing, name: str) -> int:
    share = one.shares.get(name)
    return share.cases if share is not None else 0
