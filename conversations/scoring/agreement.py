"""How far a judge agrees with people who marked the same talks, and people among themselves.

Here: kappa with quadratic weights and its bootstrap interval, Krippendorff's alpha, Gwet's AC1. Not here: what follows
from them (``gates``), where marks come from (``resources.labels``).

A category is a mark from 0 to the highest, or "not applicable". Between marks a disagreement weighs its square, as part
of the widest one; "not applicable" against any mark weighs as much as the widest one, since the scale holds no place
for it. Where nobody says "not applicable", that is the plain quadratic weight. "Insufficient evidence" is no category:
a talk that is marked so by one side is not compared; how often the judge says it has a gate of its own.

Every talk weighs the same, however many people marked it: with two graders each of the two pairs counts a half. All
figures but the interval are exact fractions, so that a limit is met or missed, never nearly. A figure is ``None`` where
it has no value: nothing to compare, or chance alone would agree always (one category used by everybody).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from conversations.resampling import RESAMPLES
from conversations.scoring.shapes import NotGiven

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_AT_ONCE = 2_000_000
"""Numbers held in one array of resamples."""
LEAST_DEFINED = 0.95
"""Share of the resamples that must have a value; else there is no interval."""


class Item(NamedTuple):
    """One talk on one criterion: what counted of the judge's answer, and what each person gave."""

    subject_id: str
    judge: int | NotGiven
    people: Mapping[str, int | NotGiven]
    """By the grader's code."""


class Interval(NamedTuple):
    """The middle 95 % of the resamples."""

    low: float
    high: float


class Categories(NamedTuple):
    """The categories of a criterion, and how far two of them are apart."""

    best: int
    may_not_apply: bool = False

    @property
    def count(self) -> int:
        """How many there are."""
        return self.best + 1 + self.may_not_apply

    def index(self, given: int | NotGiven) -> int | None:
        """The place of a mark; ``None``: it is not compared.

        Raises:
            ValueError: a mark outside the scale, or "not applicable" where the criterion always applies.
        """
        if given == "insufficient_evidence":
            return None
        if given == "not_applicable":
            if not self.may_not_apply:
                raise ValueError("not_applicable on a criterion that always applies")
            return self.best + 1
        if not 0 <= given <= self.best:
            raise ValueError("a mark outside of the scale")
        return int(given)

    def distance(self, one: int, other: int) -> int:
        """Squared, in whole numbers: ``best`` squared is the widest."""
        if one == other:
            return 0
        return self.best**2 if max(one, other) > self.best else (one - other) ** 2


Pairs = list[list[tuple[int, int]]]
"""Per talk, its pairs of places: the judge's and a person's."""


def pairs_of(items: Iterable[Item], categories: Categories) -> Pairs:
    """The talks that can be compared, in the order of their ids, so that no order of rows changes a draw."""
    found: Pairs = []
    for item in sorted(items, key=lambda item: item.subject_id):
        judge = categories.index(item.judge)
        people = [categories.index(item.people[grader]) for grader in sorted(item.people)]
        pairs = [(judge, person) for person in people if judge is not None and person is not None]
        if pairs:
            found.append(pairs)
    return found


def quadratic_kappa(pairs: Pairs, categories: Categories) -> Fraction | None:
    """Cohen's kappa with quadratic weights, each talk weighing 1.

    >>> quadratic_kappa([[(0, 0)], [(1, 1)], [(2, 2)], [(2, 1)]], Categories(best=2))
    Fraction(4, 5)
    """
    observed: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for talk in pairs:
        for pair in talk:
            observed[pair] += Fraction(1, len(talk))
    rows, columns = _margins(observed)
    seen = sum((categories.distance(*pair) * weight for pair, weight in observed.items()), Fraction())
    by_chance = sum((categories.distance(i, j) * rows[i] * columns[j] for i in rows for j in columns), Fraction())
    return 1 - seen * len(pairs) / by_chance if by_chance else None


def kappa_interval(pairs: Pairs, categories: Categories, seed: int) -> Interval | None:
    """Seeded bootstrap over talks, as section 7 draws sessions: 2,000 resamples of as many talks as there are."""
    import numpy as np

    if not pairs:
        return None
    size = categories.count
    shares = np.zeros((len(pairs), size * size))
    for number, talk in enumerate(pairs):
        for one, other in talk:
            shares[number, one * size + other] += 1 / len(talk)
    distances = np.array([[categories.distance(i, j) for j in range(size)] for i in range(size)], dtype=float)
    kappas = np.concatenate(
        [_kappas((often @ shares).reshape(-1, size, size), distances) for often in _draws(len(pairs), seed)]
    )
    defined = kappas[~np.isnan(kappas)]
    if len(defined) < LEAST_DEFINED * RESAMPLES:
        return None
    low, high = np.percentile(defined, [2.5, 97.5])
    return Interval(float(low), float(high))


def _draws(talks: int, seed: int) -> Iterable[NDArray[np.float64]]:
    """How often each resample drew each talk: blocks of (resamples, talks)."""
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    block = max(1, _AT_ONCE // talks)
    for start in range(0, RESAMPLES, block):
        rows = min(block, RESAMPLES - start)
        drawn = generator.integers(0, talks, size=(rows, talks))
        places = (drawn + np.arange(rows)[:, None] * talks).ravel()
        yield np.bincount(places, minlength=rows * talks).reshape(rows, talks).astype(float)


def _kappas(tables: NDArray[np.float64], distances: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    rows, columns, talks = tables.sum(axis=2), tables.sum(axis=1), tables.sum(axis=(1, 2))
    seen = (tables * distances).sum(axis=(1, 2)) * talks
    by_chance = np.einsum("ri,ij,rj->r", rows, distances, columns)
    # whole numbers but for halves and thirds of a talk: what is nearly nothing is nothing
    is_defined = by_chance > 1e-9
    return np.where(is_defined, 1 - seen / np.where(is_defined, by_chance, 1), np.nan)


class HumanAgreement(NamedTuple):
    """The people among themselves."""

    kappa: Fraction | None
    items: int
    """Talks that two people or more have marked."""


def human_agreement(items: Sequence[Item], categories: Categories) -> HumanAgreement:
    """Mean of the quadratic kappas of all pairs of graders (Light), each weighing as many talks as the two share."""
    marks: dict[str, dict[str, int]] = {}
    for item in items:
        for grader, given in item.people.items():
            place = categories.index(given)
            if place is not None:
                marks.setdefault(grader, {})[item.subject_id] = place
    total, weight, shared = Fraction(), 0, set()
    for one, other in combinations(sorted(marks), 2):
        common = sorted(marks[one].keys() & marks[other].keys())
        shared |= set(common)
        kappa = quadratic_kappa([[(marks[one][key], marks[other][key])] for key in common], categories)
        if kappa is not None:
            total, weight = total + kappa * len(common), weight + len(common)
    return HumanAgreement(total / weight if weight else None, len(shared))


def ordinal_alpha(items: Sequence[Item], categories: Categories) -> Fraction | None:
    """Krippendorff's alpha of the judge and all people together, ordinal; only marks have an order, so only they count.

    Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section D with the ordinal difference.
    """
    coincidences: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for item in items:
        values = [
            place
            for place in map(categories.index, (item.judge, *item.people.values()))
            if place is not None and place <= categories.best
        ]
        for position, one in enumerate(values):
            for other in values[:position] + values[position + 1 :]:
                coincidences[one, other] += Fraction(1, len(values) - 1)
    often, _ = _margins(coincidences)
    total = sum(often.values(), Fraction())
    seen = sum((weight * _ordinal(often, *pair) for pair, weight in coincidences.items()), Fraction())
    by_chance = sum((often[i] * often[j] * _ordinal(often, i, j) for i in often for j in often), Fraction())
    return 1 - (total - 1) * seen / by_chance if by_chance else None


def _ordinal(often: Mapping[int, Fraction], one: int, other: int) -> Fraction:
    low, high = sorted((one, other))
    between = sum((often.get(place, Fraction()) for place in range(low, high + 1)), Fraction())
    return (between - (often[low] + often[high]) / 2) ** 2


def gwet_ac1(pairs: Pairs, categories: Categories) -> Fraction | None:
    """Gwet's AC1: agreement corrected for chance by how evenly the categories are used; unweighted.

    Gwet, Computing inter-rater reliability and its variance in the presence of high agreement (2008).
    """
    observed: defaultdict[tuple[int, int], Fraction] = defaultdict(Fraction)
    for talk in pairs:
        for pair in talk:
            observed[pair] += Fraction(1, len(talk))
    if not pairs or categories.count < 2:
        return None
    rows, columns = _margins(observed)
    agreed = sum((weight for (one, other), weight in observed.items() if one == other), Fraction()) / len(pairs)
    used = [(rows[place] + columns[place]) / (2 * len(pairs)) for place in range(categories.count)]
    by_chance = sum((share * (1 - share) for share in used), Fraction()) / (categories.count - 1)
    return (agreed - by_chance) / (1 - by_chance)


def _margins(
    observed: Mapping[tuple[int, int], Fraction],
) -> tuple[defaultdict[int, Fraction], defaultdict[int, Fraction]]:
    rows: defaultdict[int, Fraction] = defaultdict(Fraction)
    columns: defaultdict[int, Fraction] = defaultdict(Fraction)
    for (one, other), weight in observed.items():
        rows[one] += weight
        columns[other] += weight
    return rows, columns
