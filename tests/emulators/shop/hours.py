"""Opening hours of the shop's offices, for its own people: when they answer. Not the product's calendars.

Both cities have had fixed offsets since 2024-03: Moscow +3, Almaty +5. Holidays are the fixed dates only; days that a
government moves are ordinary days here, and somebody answers on them.
"""

from __future__ import annotations

from tests.emulators.shop.model import DAY, HOUR, MINUTE, moment_of

MOSCOW = 3 * HOUR
ALMATY = 5 * HOUR

_OFFICE = ((9 * HOUR, 13 * HOUR), (14 * HOUR, 18 * HOUR))
_SHORT = ((10 * HOUR, 15 * HOUR),)
_LONG = ((9 * HOUR, 21 * HOUR),)
_WEEKEND = ((10 * HOUR, 18 * HOUR),)
OFFICE_WEEK = (_OFFICE,) * 5 + (_SHORT, ())
CARE_WEEK = (_LONG,) * 5 + (_WEEKEND, _WEEKEND)

RUSSIAN = frozenset({(1, day) for day in range(1, 9)} | {(2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)})
KAZAKH = frozenset(
    {
        (1, 1),
        (1, 2),
        (1, 7),
        (3, 8),
        (3, 21),
        (3, 22),
        (3, 23),
        (5, 1),
        (5, 7),
        (5, 9),
        (7, 6),
        (8, 30),
        (10, 25),
        (12, 16),
    }
)
NEW_YEAR = frozenset({(1, 1), (1, 7)})


def weekday(day_number: int) -> int:
    """Monday is 0; day 0 of the epoch was a Thursday."""
    return (day_number + 3) % 7


class Hours:
    """The hours of one office."""

    def __init__(
        self, offset: int, week: tuple[tuple[tuple[int, int], ...], ...], closed: frozenset[tuple[int, int]]
    ) -> None:
        self.offset = offset
        self._week = week
        self._closed = closed
        self._days: dict[int, tuple[tuple[int, int], ...]] = {}

    def _intervals(self, day: int) -> tuple[tuple[int, int], ...]:
        if day not in self._days:
            date = moment_of(day * DAY)
            is_closed = (date.month, date.day) in self._closed
            self._days[day] = () if is_closed else self._week[weekday(day)]
        return self._days[day]

    def is_open(self, at: int) -> bool:
        day, moment = divmod(at + self.offset, DAY)
        return any(opens <= moment < closes for opens, closes in self._intervals(day))

    def add(self, at: int, work: int) -> int:
        """The moment at which ``work`` microseconds of open time have passed since ``at``."""
        day, moment = divmod(at + self.offset, DAY)
        while True:
            for opens, closes in self._intervals(day):
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
