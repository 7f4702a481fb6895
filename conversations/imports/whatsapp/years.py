"""Which day three numbers mean: calendars and short years.

Here: one date at a time, in a given order of day, month and year. Not here: which order a file has (``.order``).

Read besides the Gregorian calendar: the Buddhist one (Thailand: `2565`, `2565 BE`, `65`), Japanese eras (`R4`), the
Republic of China (`111`, `民國111`) and the Iranian solar one (`1401`). The Islamic lunar calendar depends on sightings
of the moon and is not read: nothing is guessed.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from conversations.imports.survey import DateOrder
from conversations.imports.whatsapp.prefix import unmarked

_BUDDHIST, _REPUBLIC, _IRANIAN_FROM, _IRANIAN_BEFORE = 543, 1911, 1380, 1430
_FIRST_BUDDHIST_SHORT = 52
"""WhatsApp began in 2009, 2552 of the Buddhist calendar: two digits from 52 on are Buddhist, below they are 20xx."""
_ERAS = {"R": 2018, "令和": 2018, "H": 1988, "平成": 1988, "S": 1925, "民國": _REPUBLIC, "民国": _REPUBLIC}
_NUMBER = re.compile(r"^([^\d]*)(\d+)$")
_INDEX: dict[DateOrder, tuple[int, int, int]] = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
"""Where year, month and day stand."""


def year_position(numbers: tuple[str, str, str], era: str) -> int | None:
    """0 or 2 where the numbers themselves show which one is the year, ``None`` where all are short."""
    first, _, last = numbers
    if not first.isdigit() or len(first) > 2:
        return 0
    return 2 if len(last) > 2 or _is_year_mark(era) else None


def day_of(numbers: tuple[str, str, str], era: str, order: DateOrder) -> date | None:
    """The day, ``None`` if there is no such day in that order.

    >>> day_of(("23", "03", "22"), "", "dmy"), day_of(("23", "03", "22"), "", "mdy")
    (datetime.date(2022, 3, 23), None)
    >>> day_of(("12", "5", "2565"), " BE", "dmy"), day_of(("R4", "5", "12"), "", "ymd")
    (datetime.date(2022, 5, 12), datetime.date(2022, 5, 12))
    >>> day_of(("1401", "2", "22"), "", "ymd")
    datetime.date(2022, 5, 12)
    """
    year_at, month_at, day_at = _INDEX[order]
    position = year_position(numbers, era)
    if position is not None and position != year_at:
        return None
    month_text, day_text = numbers[month_at], numbers[day_at]
    if len(month_text) > 2 or len(day_text) > 2 or not (month_text + day_text).isdigit():
        return None
    month, day = int(month_text), int(day_text)
    found = _NUMBER.match(numbers[year_at])
    if found is None:
        return None
    mark, digits = unmarked(found[1]).strip(" .\u00a0\u202f"), found[2]
    year = int(digits)
    if _IRANIAN_FROM <= year < _IRANIAN_BEFORE:
        return _iranian(year, month, day)
    gregorian = _year(year, len(digits), mark, era)
    if gregorian is None or not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    try:
        return date(gregorian, month, day)
    except ValueError:
        return None


def _year(year: int, digits: int, mark: str, era: str) -> int | None:
    if mark in _ERAS:
        return _ERAS[mark] + year
    if digits > 3 and (2400 <= year <= 2700):
        return year - _BUDDHIST
    if digits <= 2 and (year >= _FIRST_BUDDHIST_SHORT or _is_buddhist(mark) or _is_buddhist(era)):
        return 2500 + year - _BUDDHIST
    if digits <= 2:
        return 2000 + year
    if digits == 3:
        return _REPUBLIC + year
    return year if 1900 <= year <= 2200 else None


def _is_buddhist(text: str) -> bool:
    letters = re.sub(r"\W", "", text)
    return letters in ("BE", "พศ")


def _is_year_mark(era: str) -> bool:
    return _is_buddhist(era) or re.sub(r"\W", "", era) in ("AP", "CE", "AD", "คศ")


def _iranian(year: int, month: int, day: int) -> date | None:
    """The Iranian solar calendar by its 33-year cycle, right for 1178 to 1633."""
    if not 1 <= month <= 12 or not 1 <= day <= (31 if month <= 6 else 30):
        return None
    if month == 12 and day == 30 and not _is_iranian_leap(year):
        return None
    before = 365 * (year - _IRANIAN_FROM) + sum(map(_is_iranian_leap, range(_IRANIAN_FROM, year)))
    days = before + (month - 1) * 31 - max(0, month - 7) + day - 1
    return date(2001, 3, 21) + timedelta(days=days)


def _is_iranian_leap(year: int) -> bool:
    return (25 * year + 11) % 33 < 8
