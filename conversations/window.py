"""Half-open windows of time, business days and ISO weeks in a team's zone.

Here: what a day and a week are. Not here: opening hours (``conversations.business_hours``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Window:
    """``[start, end)`` in UTC.

    >>> Window.of_day(date(2026, 5, 4), "Europe/Moscow").start.isoformat()
    '2026-05-03T21:00:00+00:00'
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a window needs instants with a time zone")
        if self.end < self.start:
            raise ValueError(f"a window cannot end ({self.end}) before it starts ({self.start})")

    @classmethod
    def of_days(cls, first: date, last: date, time_zone: str) -> Window:
        """The local days ``first`` to ``last``, both included; 23 to 25 hours each where clocks change."""
        return cls(_midnight(first, time_zone), _midnight(last + timedelta(days=1), time_zone))

    @classmethod
    def of_day(cls, day: date, time_zone: str) -> Window:
        """One local day."""
        return cls.of_days(day, day, time_zone)

    @classmethod
    def of_week(cls, week: str, time_zone: str) -> Window:
        """An ISO week by its key.

        >>> Window.of_week("2026-W53", "Europe/Moscow").end.isoformat()
        '2027-01-03T21:00:00+00:00'
        """
        monday = monday_of(week)
        return cls.of_days(monday, monday + timedelta(days=6), time_zone)

    def days(self, time_zone: str) -> Iterator[date]:
        """The local days that the window touches, in order."""
        day = business_day(self.start, time_zone)
        while _midnight(day, time_zone) < self.end:
            yield day
            day += timedelta(days=1)

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def business_day(instant: datetime, time_zone: str) -> date:
    """The local date of an instant.

    >>> business_day(datetime(2026, 5, 3, 21, 30, tzinfo=UTC), "Europe/Moscow").isoformat()
    '2026-05-04'
    """
    return instant.astimezone(ZoneInfo(time_zone)).date()


def iso_week(day: date) -> str:
    """The key of the ISO week of a local date (contract, section 7).

    >>> iso_week(date(2027, 1, 1))
    '2026-W53'
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def last_closed_week(now: datetime, time_zone: str) -> str:
    """The ISO week that ended before this one began.

    >>> last_closed_week(datetime(2026, 5, 4, 5, 10, tzinfo=UTC), "Europe/Moscow")
    '2026-W18'
    """
    today = business_day(now, time_zone)
    return iso_week(today - timedelta(days=today.weekday() + 1))


def monday_of(week: str) -> date:
    """The Monday of an ISO week key.

    Raises:
        ValueError: the key is not of the form ``2026-W53`` or names a week that its year does not have.

    >>> monday_of("2026-W53").isoformat()
    '2026-12-28'
    """
    year, separator, number = week.partition("-W")
    if not separator or not (year.isdigit() and number.isdigit()):
        raise ValueError(f"{week!r} is not an ISO week; write it like 2026-W05")
    return date.fromisocalendar(int(year), int(number), 1)


def _midnight(day: date, time_zone: str) -> datetime:
    # fold=0: where midnight exists twice or not at all, the first reading holds (contract, ruling 11)
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)
