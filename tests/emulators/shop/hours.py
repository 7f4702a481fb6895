"""Opening hours of the shop's offices, for its own people: when they answer. Not the product's calendars.

Both offices work Monday to Friday 09-13 and 14-18, Saturday 10-15, by their own clocks, which have had fixed offsets
since 2024-03: Moscow +3, Almaty +5.
"""

from __future__ import annotations

from tests.emulators.shop.model import DAY, HOUR, MINUTE

MOSCOW = 3 * HOUR
ALMATY = 5 * HOUR
_WEEKDAY = ((9 * HOUR, 13 * HOUR), (14 * HOUR, 18 * HOUR))
_WEEK = (_WEEKDAY, _WEEKDAY, _WEEKDAY, _WEEKDAY, _WEEKDAY, ((10 * HOUR, 15 * HOUR),), ())


def weekday(day_number: int) -> int:
    """Monday is 0; day 0 of the epoch was a Thursday."""
    return (day_number + 3) % 7


class Hours:
    """The hours of one office."""

    def __init__(self, offset: int) -> None:
        self.offset = offset

    def is_open(self, at: int) -> bool:
        day, moment = divmod(at + self.offset, DAY)
        return any(opens <= moment < closes for opens, closes in _WEEK[weekday(day)])

    def add(self, at: int, work: int) -> int:
        """The moment at which ``work`` microseconds of open time have passed since ``at``."""
        day, moment = divmod(at + self.offset, DAY)
        while True:
            for opens, closes in _WEEK[weekday(day)]:
                begin = max(opens, moment)
                if begin >= closes:
                    continue
                if begin + work < closes:
                    return day * DAY + begin + work - self.offset
                work -= closes - begin
            day, moment = day + 1, 0

    def work_between(self, start: int, end: int) -> int:
        """Open time between two moments, to the minute."""
        return sum(MINUTE for at in range(start, end, MINUTE) if self.is_open(at))
