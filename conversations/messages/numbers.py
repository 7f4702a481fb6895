"""How numbers, dates and counted nouns are written for people. Not here: what is counted."""

from __future__ import annotations

from datetime import date
from typing import Final

NONE: Final = "—"
"""Shown for an unknown value; unknown is never 0 (contract, head)."""

_THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"


def number(value: int | None) -> str:
    """A whole number with its thousands apart.

    >>> number(12345) == "12\N{NARROW NO-BREAK SPACE}345"
    True
    >>> number(None)
    '—'
    """
    return NONE if value is None else f"{value:,}".replace(",", _THIN_SPACE)


def share(value: float | None) -> str:
    """A share (0 to 1) as a percentage with one decimal.

    >>> share(0.6364)
    '63,6 %'
    """
    return NONE if value is None else f"{value * 100:.1f}".replace(".", ",") + " %"


def minutes(seconds: float | None) -> str:
    """Seconds as minutes with two decimals (contract, head).

    >>> minutes(455)
    '7,58'
    """
    return NONE if seconds is None else f"{seconds / 60:.2f}".replace(".", ",")


def points(value: float | None) -> str:
    """A score from 0 to 100.

    >>> points(62.84), points(None)
    ('62,8', '—')
    """
    return NONE if value is None else f"{value:.1f}".replace(".", ",")


def day(value: date) -> str:
    """A date as people write it.

    >>> day(date(2026, 5, 4))
    '04.05.2026'
    """
    return f"{value:%d.%m.%Y}"


def days(first: date, last: date) -> str:
    """A range of days, both included.

    >>> days(date(2026, 5, 4), date(2026, 5, 10))
    '04.05–10.05.2026'
    """
    return f"{first:%d.%m}–{last:%d.%m.%Y}" if first.year == last.year else f"{day(first)}–{day(last)}"


def plural(count: int, one: str, few: str, many: str) -> str:
    """A counted noun in its right form.

    >>> [plural(n, "чат", "чата", "чатов") for n in (1, 3, 11, 21)]
    ['1 чат', '3 чата', '11 чатов', '21 чат']
    """
    if count % 10 == 1 and count % 100 != 11:
        word = one
    elif 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14:
        word = few
    else:
        word = many
    return f"{number(count)} {word}"
