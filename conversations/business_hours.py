"""Working time: how many open seconds lie between two instants, and when a given number of them has passed.

Here: calendars as sorted open intervals in UTC (contract, section 3 and ruling 11). Not here: which calendar a wait
uses (``conversations.rules``), days and weeks (``conversations.window``).

Seconds are whole seconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

Hours: TypeAlias = tuple[tuple[int, int], ...]
"""Open intervals of one local date in minutes after its midnight; a close above 1440 lies on the next date."""

_DAY = timedelta(days=1)


class HoursVersion(NamedTuple):
    """Opening hours as they hold from ``valid_from`` until the next version."""

    valid_from: date | None
    """Local date in ``time_zone``; ``None``: has always held."""
    time_zone: str
    weekly: tuple[Hours, Hours, Hours, Hours, Hours, Hours, Hours]
    """Monday to Sunday."""
    exceptions: Mapping[date, Hours]
    """Replaces all intervals that start on that local date; an empty tuple means closed."""


class BusinessHours:
    """One calendar. Intervals are laid out year by year when an instant of that year is first asked for.

    >>> weekdays = ((540, 1080),)
    >>> hours = BusinessHours([HoursVersion(None, "UTC", (weekdays,) * 5 + ((), ()), {})])
    >>> friday_evening, monday_morning = 1777654800, 1777885200  # 2026-05-01 17:00 and 2026-05-04 09:00 UTC
    >>> hours.between(friday_evening, monday_morning), hours.after(friday_evening, 7200) - monday_morning
    (3600, 3600)
    """

    def __init__(self, versions: Sequence[HoursVersion]) -> None:
        """
        Raises:
            ValueError: no version, or two versions valid from the same date.
        """
        ordered = sorted(versions, key=lambda version: version.valid_from or date.min)
        starts = [version.valid_from or date.min for version in ordered]
        if not ordered or len(set(starts)) < len(starts):
            raise ValueError("a calendar needs at least one version and different valid_from dates")
        begins = [_valid_second(version) for version in ordered]
        self._versions = list(zip(ordered, begins, [*begins[1:], None], strict=True))
        self._last_change = _last_change(ordered)
        self._opens: list[int] = []
        self._closes: list[int] = []
        self._opened: list[int] = []  # open seconds before the interval begins, counted from a fixed point
        self._closed: list[int] = []  # ... and before it ends
        self._first_year = self._next_year = 0
        self._from = self._until = 0

    def elapsed(self, second: int) -> int:
        """Open seconds before ``second``, counted from a fixed point: differences of two answers are durations."""
        if not self._from <= second < self._until:
            self._cover(second)
        index = bisect_right(self._opens, second) - 1
        if index < 0:
            return self._opened[0] if self._opened else 0
        close = self._closes[index]
        return self._opened[index] + (second if second < close else close) - self._opens[index]

    def between(self, start: int, end: int) -> int:
        """Open seconds in ``[start, end)``; 0 when ``end`` does not come after ``start``."""
        return self.elapsed(end) - self.elapsed(start) if end > start else 0

    def after(self, start: int, seconds: int) -> int | None:
        """The earliest instant at which ``seconds`` open seconds have passed since ``start``.

        ``None``: the calendar does not open that often any more. The earliest such instant may be a closing time;
        no further open second passes until the next opening, but the amount is already reached.
        """
        if seconds <= 0:
            return start
        target = self.elapsed(start) + seconds
        while not self._closed or self._closed[-1] < target:
            if not self._opens_again():
                return None
            self._append_year()
        index = bisect_left(self._closed, target)
        return self._closes[index] - (self._closed[index] - target)

    def _opens_again(self) -> bool:
        always_opens = any(self._versions[-1][0].weekly)
        return self._next_year < 9990 and (always_opens or self._next_year <= self._last_change.year + 1)

    def _cover(self, second: int) -> None:
        year = datetime.fromtimestamp(second, UTC).year
        if self._first_year == 0:
            self._first_year = self._next_year = year
            self._from = self._until = _new_year(year)
        while year < self._first_year:
            self._prepend_year()
        while year >= self._next_year:
            self._append_year()

    def _append_year(self) -> None:
        passed = self._closed[-1] if self._closed else 0
        for start, end in self._intervals(self._next_year):
            self._opens.append(start)
            self._closes.append(end)
            self._opened.append(passed)
            passed += end - start
            self._closed.append(passed)
        self._next_year += 1
        self._until = _new_year(self._next_year)

    def _prepend_year(self) -> None:
        self._first_year -= 1
        self._from = _new_year(self._first_year)
        intervals = self._intervals(self._first_year)
        # the fixed point stays where it is, so that answers given earlier stay true: the past counts below it
        passed = (self._opened[0] if self._opened else 0) - sum(end - start for start, end in intervals)
        opened, closed = [], []
        for start, end in intervals:
            opened.append(passed)
            passed += end - start
            closed.append(passed)
        self._opens[:0] = [start for start, _ in intervals]
        self._closes[:0] = [end for _, end in intervals]
        self._opened[:0] = opened
        self._closed[:0] = closed

    def _intervals(self, year: int) -> list[tuple[int, int]]:
        """Open intervals of a UTC year, sorted and united."""
        year_start, year_end = _new_year(year), _new_year(year + 1)
        united: list[tuple[int, int]] = []
        for start, end in sorted(self._pieces(year, year_start, year_end)):
            if united and start <= united[-1][1]:
                united[-1] = (united[-1][0], max(end, united[-1][1]))
            else:
                united.append((start, end))
        return united

    def _pieces(self, year: int, year_start: int, year_end: int) -> Iterator[tuple[int, int]]:
        for version, valid_from, valid_until in self._versions:
            earliest = year_start if valid_from is None else max(year_start, valid_from)
            latest = year_end if valid_until is None else min(year_end, valid_until)
            if earliest >= latest:
                continue
            zone = ZoneInfo(version.time_zone)
            # two days on either side: zones differ from UTC by up to 14 hours and an overnight interval lasts a day
            day = date(year, 1, 1) - 2 * _DAY
            while day <= date(year, 12, 31) + 2 * _DAY:
                hours = version.exceptions.get(day)
                for open_minute, close_minute in version.weekly[day.weekday()] if hours is None else hours:
                    start = max(_local_second(day, open_minute, zone), earliest)
                    end = min(_local_second(day, close_minute, zone), latest)
                    if start < end:
                        yield start, end
                day += _DAY


def _local_second(day: date, minute: int, zone: ZoneInfo) -> int:
    # fold=0: a time that clocks show twice is the first, one that they skip is read by the offset before the change
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    return int(local.replace(tzinfo=zone).timestamp())


def _valid_second(version: HoursVersion) -> int | None:
    if version.valid_from is None or version.valid_from == date.min:
        return None
    return _local_second(version.valid_from, 0, ZoneInfo(version.time_zone))


def _last_change(versions: Sequence[HoursVersion]) -> date:
    """The last date that any version names: with no weekly hours in force, nothing opens after it."""
    named = [version.valid_from or date(1970, 1, 1) for version in versions]
    named += [day for version in versions for day in version.exceptions]
    return max(named)


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
