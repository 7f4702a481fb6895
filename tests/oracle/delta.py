"""Weekly deltas read from the contract a second time (section 7, rulings 13 and 15), in plain loops and fractions.

Here: Wilson by its defining equation, Newcombe and its p value by bisection, the design effect as it is printed, the
bootstrap as one loop over resamples, Benjamini-Hochberg as a staircase, the nine states as one chain of questions. Not
here: anything of ``conversations``; speed. numpy gives the random numbers, since the contract names its generator.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import NormalDist

import numpy as np

NORMAL = NormalDist()
Sessions = Mapping[str, Sequence[Fraction | int]]


# --- shares -----------------------------------------------------------------------------------------------------------


def bisect(is_left: Callable[[float], bool], low: float, high: float) -> float:
    """Where ``is_left`` turns from true to false."""
    for _ in range(60):
        middle = (low + high) / 2
        if is_left(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def wilson(p: float, n: float, z: float) -> tuple[float, float]:
    """The shares q that the sample does not reject: (p - q)^2 <= z^2 q (1 - q) / n."""

    def rejected(q: float) -> bool:
        return (p - q) ** 2 > z * z * q * (1 - q) / n

    return bisect(rejected, 0.0, p), bisect(lambda q: not rejected(q), p, 1.0)


def newcombe(p1: float, n1: float, p2: float, n2: float, level: float) -> tuple[float, float]:
    """Interval of p1 - p2 that holds with probability 1 - level."""
    z = NORMAL.inv_cdf(1 - level / 2)
    low1, high1 = wilson(p1, n1, z)
    low2, high2 = wilson(p2, n2, z)
    return (
        p1 - p2 - math.sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2),
        p1 - p2 + math.sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2),
    )


def newcombe_p(p1: float, n1: float, p2: float, n2: float) -> float:
    """The level at which 0 begins to be outside."""
    if p1 == p2:
        return 1.0

    def contains_zero(level: float) -> bool:
        low, high = newcombe(p1, n1, p2, n2, level)
        return low <= 0 <= high

    return bisect(contains_zero, 1e-12, 1 - 1e-12)


def design_effect(sessions: Sequence[tuple[int, int]]) -> float:
    """(hits_i, n_i) by session; variance between sessions over the variance of independent cases."""
    sessions = [(hits, n) for hits, n in sessions if n > 0]
    k = len(sessions)
    n = sum(n_i for _, n_i in sessions)
    p = Fraction(sum(hits for hits, _ in sessions), n)
    if k < 2 or p in (0, 1):
        return 1.0
    clustered = Fraction(k, k - 1) * sum(((hits - p * n_i) ** 2 for hits, n_i in sessions), Fraction()) / n**2
    independent = p * (1 - p) / n
    return float(max(Fraction(1), clustered / independent))


# --- the bootstrap ----------------------------------------------------------------------------------------------------


def percentile(values: Sequence[Fraction | int], share: Fraction) -> Fraction:
    """Linear interpolation between the neighbours of position (n - 1) x share."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * share
    below = math.floor(position)
    above = math.ceil(position)
    return Fraction(ordered[below]) + (ordered[above] - ordered[below]) * (position - below)


def mean(values: Sequence[Fraction | int]) -> Fraction:
    return sum(values, Fraction()) / len(values)


def median(values: Sequence[Fraction | int]) -> Fraction:
    return percentile(values, Fraction(1, 2))


def bootstrap(
    now: Sessions, before: Sessions, statistic: Callable[[Sequence[Fraction | int]], Fraction], seed: int
) -> tuple[Fraction, Fraction, Fraction]:
    """Interval and p value of the change of a statistic, sessions drawn whole."""
    random = np.random.Generator(np.random.PCG64(seed))
    weeks = [[week[key] for key in sorted(week, key=lambda name: name.encode()) if week[key]] for week in (now, before)]
    changes = []
    for _ in range(2000):
        found = []
        for week in weeks:
            values: list[Fraction | int] = []
            for drawn in random.integers(0, len(week), size=len(week)):
                values += week[drawn]
            found.append(statistic(values))
        changes.append(found[0] - found[1])
    at_most = Fraction(len([change for change in changes if change <= 0]), 2000)
    at_least = Fraction(len([change for change in changes if change >= 0]), 2000)
    p = min(Fraction(1), max(Fraction(1, 2000), 2 * min(at_most, at_least)))
    return percentile(changes, Fraction(25, 1000)), percentile(changes, Fraction(975, 1000)), p


def seed_of(subject: str, metric: str, week: str, version: str) -> int:
    digest = hashlib.sha256(b"|".join(word.encode() for word in (subject, metric, week, version))).digest()
    return sum(byte * 256 ** (7 - place) for place, byte in enumerate(digest[:8]))


# --- many rows --------------------------------------------------------------------------------------------------------


def benjamini_hochberg(p_values: Sequence[Fraction], rate: Fraction = Fraction(1, 10)) -> list[bool]:
    """All up to the largest p that lies under its stair."""
    ordered = sorted(p_values)
    under = [p for rank, p in enumerate(ordered, 1) if p <= Fraction(rank, len(ordered)) * rate]
    return [bool(under) and p <= max(under) for p in p_values]


# --- the states -------------------------------------------------------------------------------------------------------


@dataclass
class OracleWeek:
    """One row: cases by session, completeness, versions."""

    sessions: Sessions = field(default_factory=dict)
    completeness: Fraction | None = Fraction(1)
    versions: tuple[int, ...] = (1,)

    @property
    def cases(self) -> list[Fraction | int]:
        return [value for values in self.sessions.values() for value in values]


def compare(
    kind: str, sign: int, now: OracleWeek, before: OracleWeek | None, seed: int
) -> tuple[str, Fraction | None, float | None, float | None, float | None]:
    """Status, delta, both bounds and p value; kind is share, p50 or llm."""
    nothing = (None, None, None, None)
    if before is None:
        return ("no_previous_week", *nothing)
    if now.versions != before.versions:
        return ("not_comparable", *nothing)
    for week in (now, before):
        if week.completeness is None or week.completeness < Fraction(98, 100):
            return ("data_incomplete", *nothing)
    if not before.cases:
        return ("previous_empty", *nothing)
    if not now.cases:
        return ("current_empty", *nothing)
    enough = 10 if kind == "llm" else 20
    if len(now.cases) < enough or len(before.cases) < enough:
        return ("low_sample", *nothing)
    statistic = median if kind == "p50" else mean
    value, previous = statistic(now.cases), statistic(before.cases)
    change = value - previous
    if kind == "share":
        effective = [
            len(week.cases) / design_effect([(int(sum(hits)), len(hits)) for hits in week.sessions.values()])
            for week in (now, before)
        ]
        low, high = newcombe(float(value), effective[0], float(previous), effective[1], 0.05)
        p = newcombe_p(float(value), effective[0], float(previous), effective[1])
        is_large = abs(change) >= Fraction(5, 100)
    else:
        exact = bootstrap(now.sessions, before.sessions, statistic, seed)
        low, high, p = (float(bound) for bound in exact)
        is_large = abs(change) >= 3
        if kind == "p50":
            is_large = abs(change) >= 120 and abs(change) >= previous / 5
    if low <= 0 <= high or not is_large:
        return "no_change_detected", change, low, high, p
    return "improved" if (change > 0) == (sign > 0) else "worsened", change, low, high, p
