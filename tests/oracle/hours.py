"""Business time by brute force: lay out every open interval of every day and measure overlaps (contract, section 3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.oracle.policy import CalendarVersion

HORIZON_DAYS = 800
"""How far ahead the oracle looks for an opening; longer than any calendar of the tests is silent."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local(day: date, minutes: int, zone: str) -> int:
    """Epoch seconds of a local wall-clock time; gaps and folds by fold = 0."""
    naive = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    return round((naive.replace(tzinfo=ZoneInfo(zone), fold=0) - _EPOCH).total_seconds())


def open_of_day(version: CalendarVersion, day: date) -> list[tuple[int, int]]:
    """The intervals that start on one local date, each end converted to UTC by itself."""
    hours = version.exceptions[day] if day in version.exceptions else version.weekly[day.weekday()]
    pairs = [(local(day, start, version.zone), local(day, end, version.zone)) for start, end in hours]
    return [(start, end) for start, end in pairs if end > start]


def reigns(dates: list[tuple[date | None, str]]) -> list[tuple[int | None, int | None]]:
    """From when to when each of several dated entries holds; each date is read in the zone beside it."""
    begins = [None if day is None else local(day, 0, zone) for day, zone in dates]
    return list(zip(begins, [*begins[1:], None], strict=True))


class Hours:
    """The open time of one calendar with all its dated versions."""

    def __init__(self, versions: tuple[CalendarVersion, ...]) -> None:
        ordered = sorted(versions, key=lambda version: version.valid_from or date.min)
        spans = reigns([(version.valid_from, version.zone) for version in ordered])
        self.reigns = [(version, *span) for version, span in zip(ordered, spans, strict=True)]
        self.intervals_near = lru_cache(maxsize=None)(self._intervals_near)

    def _intervals_near(self, day: date) -> list[tuple[int, int]]:
        """Open intervals that start on one date by any version, clipped to the reign of that version."""
        found = []
        for version, begin, end in self.reigns:
            for start, stop in open_of_day(version, day):
                start = start if begin is None else max(start, begin)
                stop = stop if end is None else min(stop, end)
                if stop > start:
                    found.append((start, stop))
        return found

    def between(self, a: int, b: int) -> list[tuple[int, int]]:
        """Disjoint open intervals inside ``[a, b)``, in order."""
        day = datetime.fromtimestamp(a, UTC).date() - timedelta(days=3)
        last = datetime.fromtimestamp(b, UTC).date() + timedelta(days=3)
        pieces = []
        while day <= last:
            for start, end in self.intervals_near(day):
                if max(start, a) < min(end, b):
                    pieces.append((max(start, a), min(end, b)))
            day += timedelta(days=1)
        union: list[tuple[int, int]] = []
        for start, end in sorted(pieces):
            if union and start <= union[-1][1]:
                union[-1] = (union[-1][0], max(union[-1][1], end))
            else:
                union.append((start, end))
        return union

    def seconds(self, a: int, b: int) -> int:
        """Open seconds inside ``[a, b)``; 0 if ``b`` is not after ``a``."""
        return sum(end - start for start, end in self.between(a, b)) if b > a else 0

    def reach(self, a: int, amount: int) -> int | None:
        """The earliest instant ``t`` with ``amount`` open seconds in ``[a, t)``, walking one week after the other."""
        left, at = amount, a
        stop = a + HORIZON_DAYS * 86400
        while at < stop:
            for start, end in self.between(at, at + 7 * 86400):
                if end - start >= left:
                    return start + left
                left -= end - start
            at += 7 * 86400
        return None
