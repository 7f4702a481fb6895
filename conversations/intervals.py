"""Confidence intervals of shares whose cases come in sessions, their p values, and which p values survive together.

Here: Wilson, Newcombe on effective sizes, its inversion, Benjamini-Hochberg (contract, section 7), for bare counts. Not
here: intervals by resampling (``conversations.resampling``), what follows for a manager or channel
(``conversations.delta``).

The closed forms are written out because sizes here are not whole: n / deff. statsmodels agrees with them in the tests,
where it takes such sizes; loading it would cost seconds for two lines of arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.05
"""Intervals are 95 %."""
Z = NormalDist().inv_cdf(1 - LEVEL / 2)
FALSE_DISCOVERIES = 0.10
"""Benjamini-Hochberg: at most so large a share of the headline is expected to be noise."""

_ROUNDING = 1e-12
"""Bootstrap p values are multiples of 1/1000, so p x m / i often *is* 0.10; it must not depend on how that rounds."""


class Share(NamedTuple):
    """Hits among eligible cases of one week, with the size that the cases are worth as independent ones."""

    hits: int
    cases: int
    deff: float = 1.0

    @property
    def value(self) -> float:
        return self.hits / self.cases

    @property
    def size(self) -> float:
        """n / deff."""
        return self.cases / self.deff


def share_of(sessions: Iterable[tuple[int, int]]) -> Share:
    """The share of a week from (hits, cases) of each session; sessions without cases do not count as sessions.

    Raises:
        ValueError: a session has more hits than cases, or negative ones.
    """
    pairs = [(hits, cases) for hits, cases in sessions if cases]
    if any(not 0 <= hits <= cases for hits, cases in pairs):
        raise ValueError("a session has more hits than cases, or fewer than none")
    return Share(sum(hits for hits, _ in pairs), sum(cases for _, cases in pairs), design_effect(pairs))


def design_effect(sessions: Sequence[tuple[int, int]]) -> float:
    """How many cases it takes to be worth one independent case (contract, section 7): at least 1.

    ``max(1, k/(k-1) x sum((hits_i - p n_i)^2 / n^2) / (p(1-p)/n))`` over the k sessions with cases; 1 where that is
    undefined: fewer than two sessions, or a share of 0 or 1. Whole numbers up to the last division.

    The formula is taken as it stands: sessions of one case each give k/(k-1), a little above 1, not 1.

    >>> design_effect([(1, 1), (0, 1), (0, 1), (1, 1)])
    1.3333333333333333
    >>> design_effect([(3, 3), (0, 3)])
    6.0
    """
    k = len(sessions)
    hits = sum(hit for hit, _ in sessions)
    cases = sum(case for _, case in sessions)
    if k < 2 or hits in (0, cases):
        return 1.0
    spread = sum((hit * cases - hits * case) ** 2 for hit, case in sessions)
    return max(1.0, k * spread / ((k - 1) * cases * hits * (cases - hits)))


def wilson(share: Share, z: float = Z) -> tuple[float, float]:
    """Wilson's score interval of a share on its effective size.

    >>> [round(bound, 4) for bound in wilson(Share(2, 40))]
    [0.0138, 0.165]
    """
    p, n = share.value, share.size
    shrink = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    reach = z / shrink * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # at the ends the bound is the end itself, which the subtraction misses by an ulp
    low = 0.0 if share.hits == 0 else centre - reach
    high = 1.0 if share.hits == share.cases else centre + reach
    return low, high


def newcombe(now: Share, before: Share, z: float = Z) -> tuple[float, float]:
    """Newcombe's interval (his method 10) of ``now - before``, from the Wilson intervals of both.

    >>> [round(100 * bound, 1) for bound in newcombe(Share(2, 40), Share(10, 40))]
    [-35.6, -4.2]
    """
    low_now, high_now = wilson(now, z)
    low_before, high_before = wilson(before, z)
    difference = share_difference(now, before)
    return (
        difference - math.hypot(now.value - low_now, high_before - before.value),
        difference + math.hypot(high_now - now.value, before.value - low_before),
    )


def share_difference(now: Share, before: Share) -> float:
    """``now - before`` rounded once; 0 exactly when the shares are equal."""
    return (now.hits * before.cases - before.hits * now.cases) / (now.cases * before.cases)


def newcombe_p(now: Share, before: Share) -> float:
    """The smallest level at which Newcombe's interval excludes 0; 1 when the shares are equal.

    The bound on the side of 0 moves one way as the level falls and always crosses 0 once: for shares a > b it reaches 0
    where (a - low_a)^2 + (high_b - b)^2 = (a - b)^2, the left side grows from 0 to a^2 + (1 - b)^2, and that is
    at least 1/2 above the right one.
    """
    from scipy.optimize import brentq

    difference = share_difference(now, before)
    if difference == 0:
        return 1.0
    side = 0 if difference > 0 else 1

    def distance(z: float) -> float:
        return math.copysign(1.0, difference) * newcombe(now, before, z)[side]

    beyond = 1.0
    while distance(beyond) > 0:
        beyond *= 2
    z = brentq(distance, 0.0, beyond, xtol=1e-12)
    return math.erfc(z / math.sqrt(2))


def discoveries(p_values: Sequence[float], rate: float = FALSE_DISCOVERIES) -> list[bool]:
    """Which p values pass Benjamini-Hochberg at ``rate``, all of them being the family.

    >>> discoveries([0.01, 0.04, 0.5])
    [True, True, False]
    >>> discoveries([0.04, 0.07, 0.5])
    [False, False, False]
    """
    from scipy.stats import false_discovery_control

    if not p_values:
        return []
    return [bool(adjusted <= rate + _ROUNDING) for adjusted in false_discovery_control(p_values, method="bh")]
