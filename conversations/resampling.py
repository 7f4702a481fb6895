"""The seeded bootstrap of section 7: how much a median or an average would differ, had other sessions come.

Here: seed, draws, resampled statistics, interval and p value, all rows of one metric and subject at a time as arrays.
Not here: shares (``conversations.intervals``), what follows from an interval (``conversations.delta``).

Waits of a session are not independent, so sessions are drawn, with replacement, as many as there were; a session brings
all its waits. Sessions are numbered by their id as text in collation "C" (ruling 1's order of ids), so that neither the
order of the rows nor that of the waits changes a draw. Only sessions with a value are drawn. Statistics are kept as
whole numbers, so that "equal to 0" means it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 2000

_AT_ONCE = 15_000
"""Numbers held in one array. A channel with 20,000 sessions must not take gigabytes; and arrays above 128 kB are
fetched from the system and given back each time, which cost up to twice the arithmetic [measured]."""


class Resampled(NamedTuple):
    """95 % interval of a change, in the unit of the values, and its p value."""

    low: float
    high: float
    p_value: float


def seed_of(subject: str, metric: str, week: str, version: str) -> int:
    """First 8 bytes, big-endian, of SHA-256 of the four joined by "|".

    >>> seed_of("7", "reply_p50_seconds", "2026-W47", "1") == seed_of("7", "reply_p50_seconds", "2026-W47", "1")
    True
    """
    text = "|".join((subject, metric, week, version))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")


def resampled_percentile(
    now: Mapping[str, Sequence[int]], before: Mapping[str, Sequence[int]], percent: int, seed: int
) -> Resampled:
    """Change of a percentile (linear interpolation) of whole numbers, by session id; no session may be empty."""
    import numpy as np

    weeks = [_Values(now), _Values(before)]
    hundredths = np.concatenate(
        [
            weeks[0].percentiles(first, percent) - weeks[1].percentiles(second, percent)
            for first, second in draws(seed, len(now), len(before), max(weeks[0].size, weeks[1].size))
        ]
    )
    return _summary(hundredths, 100)


def resampled_mean(now: Mapping[str, int], before: Mapping[str, int], scale: int, seed: int) -> Resampled:
    """Change of the average of one value per session id; values are whole numbers of 1/``scale``."""
    import numpy as np

    first_week, second_week = (np.array([week[key] for key in sorted(week)], dtype=np.int64) for week in (now, before))
    changes = np.concatenate(
        [
            first_week[first].sum(axis=1) * len(before) - second_week[second].sum(axis=1) * len(now)
            for first, second in draws(seed, len(now), len(before))
        ]
    )
    return _summary(changes, scale * len(now) * len(before))


def draws(seed: int, now: int, before: int, widest: int = 0) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Which sessions each resample draws: arrays of (resamples, sessions), block by block, 2,000 resamples in all.

    One stream: a resample takes ``now`` numbers below ``now``, then ``before`` numbers below ``before``, exactly as
    ``integers(0, now, size=now)`` and ``integers(0, before, size=before)`` in turn would. Drawing against a row of
    bounds gives the same numbers ten times as fast; a test compares them.
    """
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    bounds = np.concatenate([np.full(now, now), np.full(before, before)])
    block = max(1, _AT_ONCE // max(now + before, widest))
    for start in range(0, RESAMPLES, block):
        drawn = generator.integers(0, bounds, size=(min(block, RESAMPLES - start), now + before))
        yield drawn[:, :now], drawn[:, now:]


class _Values:
    """The values of a week in order of size, each with the number of its session."""

    def __init__(self, sessions: Mapping[str, Sequence[int]]) -> None:
        import numpy as np

        owners = np.repeat(np.arange(len(sessions)), [len(sessions[key]) for key in sorted(sessions)])
        values = np.array([value for key in sorted(sessions) for value in sessions[key]], dtype=np.int64)
        order = np.argsort(values, kind="stable")
        self.sessions = len(sessions)
        self.size = len(values)
        self._sorted = values[order]
        self._owners = owners[order]

    def percentiles(self, drawn: NDArray[np.int64], percent: int) -> NDArray[np.int64]:
        """The percentile of each resample, in hundredths.

        No resample is laid out and sorted: each value weighs as often as its session was drawn, and the running sum of
        weights over the sorted values says where the ranks lie. The running sum goes on over all resamples, so that
        one search serves all of them.
        """
        import numpy as np

        resamples = len(drawn)
        first_of_row = np.arange(resamples)[:, None]
        often = np.bincount((drawn + first_of_row * self.sessions).ravel(), minlength=resamples * self.sessions)
        weights = often.astype(np.int32).reshape(resamples, self.sessions).take(self._owners, axis=1)
        running = np.cumsum(weights.ravel(), dtype=np.int64)
        ends = running[self.size - 1 :: self.size]
        starts = np.concatenate([[0], ends[:-1]])
        rank, rest = np.divmod((ends - starts - 1) * percent, 100)
        below, above = (
            self._sorted[np.searchsorted(running, starts + place, side="right") - first_of_row[:, 0] * self.size]
            for place in (rank, rank + (rest > 0))
        )
        return below * (100 - rest) + above * rest


def _summary(changes: NDArray[np.int64], scale: int) -> Resampled:
    """Linear percentiles 2.5 and 97.5; p = 2 x min(share <= 0, share >= 0), at least 1/2000, at most 1."""
    import numpy as np

    low, high = np.percentile(changes, [2.5, 97.5])
    rarer = min(int((changes <= 0).sum()), int((changes >= 0).sum()))
    return Resampled(float(low) / scale, float(high) / scale, min(1.0, max(1, 2 * rarer) / RESAMPLES))
