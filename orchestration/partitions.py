"""Which partitions are meant: the last closed day, the last closed week, the days of a week.

Here: dates to partition keys, with the clock as an argument. Not here: the definitions of the partitions, which the
assets need (``assets.partitions``).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from conversations.window import business_day, iso_week, last_closed_week, monday_of

__all__ = ["last_closed_day", "last_closed_week", "sunday_of", "weeks_between"]


def last_closed_day(now: datetime, time_zone: str) -> date:
    """Yesterday, in the team's zone."""
    return business_day(now, time_zone) - timedelta(days=1)


def weeks_between(first: str, last: str) -> list[str]:
    """Every ISO week from ``first`` to ``last``, both included.

    Raises:
        ValueError: a key is not an ISO week, or the order is wrong.

    >>> weeks_between("2026-W52", "2027-W01")
    ['2026-W52', '2026-W53', '2027-W01']
    """
    monday, end = monday_of(first), monday_of(last)
    if end < monday:
        raise ValueError(f"{first} is after {last}")
    return [iso_week(monday + timedelta(days=7 * n)) for n in range((end - monday).days // 7 + 1)]


def sunday_of(week: str) -> date:
    """The last day of an ISO week."""
    return monday_of(week) + timedelta(days=6)
