"""Times as tables have them: written in declared ways, as numbers, or as cells that hold a time already.

Here: one cell to an instant, and what is doubtful about it. Not here: which column it is in.

A number is taken for seconds, milliseconds or a spreadsheet's days only where that is declared. Years before 1990 and
after 2100 are no times of messages: milliseconds taken for seconds end there.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from conversations.parsing.fields import Odd
from conversations.parsing.flags import DOUBTFUL_HOUR

WORDS = ("iso", "unix", "unix_ms", "excel")
LONGEST = 200
"""Characters of a time."""
FIRST_YEAR, LAST_YEAR = 1990, 2100
_EXCEL_DAY_0 = datetime(1899, 12, 30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS = ("%H", "%I", "%X", "%c")
_DATES = ("%d", "%j", "%x", "%c")
_OFFSET = re.compile(r"(?:UTC|GMT|Z)?\s*([+-])(\d{1,2}):?(\d{2})?|UTC|GMT|Z", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:[.,]\d{1,12})?")


class Stamp(NamedTuple):
    """A time of a row."""

    at: datetime
    """UTC."""
    local: str
    """Digits as they stand in the file, so that another zone declared later leaves ids as they are."""
    flags: tuple[str, ...] = ()


def problem_of_format(text: str) -> str | None:
    """Why a declared format cannot be used; ``None`` where it can.

    >>> problem_of_format("%d.%m.%Y")
    'a format without hours and minutes: days alone are no times, write untimed: true'
    """
    if text in WORDS:
        return None
    if "%" not in text:
        return f"one of {', '.join(WORDS)}, or a pattern like %d.%m.%Y %H:%M"
    shown = text.replace("%%", "")
    if not any(one in shown for one in _HOURS):
        return "a format without hours and minutes: days alone are no times, write untimed: true"
    if not any(one in shown for one in _DATES):
        return "a format without a day"
    if "%I" in shown and "%p" not in shown:
        return "%I without %p: twelve hours need to say which half of the day"
    if not any(one in shown for one in ("%Y", "%y", "%c", "%x")):
        return "a format without a year"
    try:
        datetime.strptime(datetime(2004, 2, 29, 13, 1, 2, tzinfo=UTC).strftime(text), text)
    except (ValueError, re.error):
        return "not a pattern of strptime"
    return None


class Clock:
    """Reads the cells of one table."""

    def __init__(self, formats: tuple[str, ...], zone: str) -> None:
        self._formats = formats
        self._zone = zone

    def read(self, cell: Any, zone: Any = None) -> Stamp:
        """One cell; ``zone`` is the row's own, where a column says it.

        Raises:
            Odd: ``bad_time``; ``ambiguous_time`` where two declared formats give two times; ``bad_zone``.
        """
        found = {self._placed(one, zone) for one in self._readings(cell)}
        if not found:
            raise Odd("bad_time")
        if len({one.at for one in found}) > 1:
            raise Odd("ambiguous_time")
        stamp = min(found)
        if not FIRST_YEAR <= stamp.at.year <= LAST_YEAR:
            raise Odd("bad_time")
        return stamp

    def _readings(self, cell: Any) -> list[datetime]:
        if isinstance(cell, datetime):
            return [cell]
        if isinstance(cell, bool | date | time):
            return []
        text = str(cell).strip()
        if len(text) > LONGEST:
            return []
        return [moment for one in self._formats if (moment := _read(text, one)) is not None]

    def _placed(self, moment: datetime, zone: Any) -> Stamp:
        if moment.tzinfo is not None:
            try:
                at = moment.astimezone(UTC)
            except (OverflowError, ValueError):
                raise Odd("bad_time") from None
            return Stamp(at, _digits(at))
        place = zone_of(self._zone if zone is None else str(zone).strip())
        if place is None:
            raise Odd("bad_zone")
        try:
            at = moment.replace(tzinfo=place, fold=0).astimezone(UTC)
            other = moment.replace(tzinfo=place, fold=1).astimezone(UTC)
        except (OverflowError, ValueError):
            raise Odd("bad_time") from None
        return Stamp(at, _digits(moment), () if at == other else (DOUBTFUL_HOUR,))


def joined(day: Any, clock: Any) -> Any:
    """Date and clock of two columns as one cell; ``None`` where one is missing."""
    if day is None or clock is None:
        return None
    if isinstance(day, date) and isinstance(clock, time):
        return datetime.combine(day, clock)
    if isinstance(day, datetime):
        day = day.date().isoformat() if day.time() == time() else day
    return f"{day} {clock}"


@lru_cache(maxsize=1024)
def zone_of(text: str) -> tzinfo | None:
    """A zone by its name or as an offset; ``None`` where it is neither.

    >>> str(zone_of("+05:30")), str(zone_of("UTC+3")), zone_of("Mars/Base"), str(zone_of("Europe/Moscow"))
    ('UTC+05:30', 'UTC+03:00', None, 'Europe/Moscow')
    """
    found = _OFFSET.fullmatch(text)
    if found:
        minutes = int(found[2] or 0) * 60 + int(found[3] or 0)
        if minutes > 14 * 60 or int(found[3] or 0) > 59:
            return None
        return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return None


def _read(text: str, how: str) -> datetime | None:
    try:
        if how == "iso":
            # a day alone is read, too, and would be midnight
            return datetime.fromisoformat(text) if len(text) > len("2026-03-01") else None
        if how not in WORDS:
            return datetime.strptime(text, how)
        if not _NUMBER.fullmatch(text):
            return None
        number = Decimal(text.replace(",", "."))
        if how == "excel":
            # days with a fraction: a millisecond is what spreadsheets keep of it
            return _EXCEL_DAY_0 + timedelta(milliseconds=int((number * 86_400_000).to_integral_value()))
        micros = number * (1_000_000 if how == "unix" else 1_000)
        return _EPOCH + timedelta(microseconds=int(micros.to_integral_value()))
    except (ValueError, OverflowError, InvalidOperation):
        return None


def _digits(moment: datetime) -> str:
    shown = f"{moment:%Y%m%dT%H%M%S}"
    return f"{shown}.{moment.microsecond:06d}" if moment.microsecond else shown
