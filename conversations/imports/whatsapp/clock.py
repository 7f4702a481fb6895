"""The hour of a stamp: 12 or 24 hours, with the half of the day in the words of any language.

Here: one stamp at a time. Not here: zones.
"""

from __future__ import annotations

from conversations.imports.whatsapp.locales import clock, short


def is_known(word: str) -> bool:
    """Whether the word beside a time is understood.

    >>> is_known("p. m."), is_known("下午"), is_known("klo"), is_known("кхм")
    (True, True, True, False)
    """
    word, known = short(word), clock()
    return word in known.morning or word in known.afternoon or word in known.periods or word in known.joints


def hour_of(hour: int, word: str) -> int | None:
    """The hour of the day, 0 to 23; ``None``: there is no such hour, or nobody knows the word.

    A phone with a 24-hour clock may write the half of the day as well: an hour above 12 counts as it stands.

    >>> hour_of(12, "AM"), hour_of(12, "p.m."), hour_of(0, "PM"), hour_of(23, "PM"), hour_of(3, "下午"), hour_of(7, "")
    (0, 12, 12, 23, 15, 7)
    >>> hour_of(1, "凌晨"), hour_of(1, "in the afternoon"), hour_of(12, "at night"), hour_of(24, ""), hour_of(3, "кхм")
    (1, 13, 0, None, None)
    """
    if not 0 <= hour <= 23:
        return None
    if not word:
        return hour
    key, known = short(word), clock()
    if key in known.joints or hour > 12:
        return hour if is_known(word) else None
    if key in known.morning:
        return hour % 12
    if key in known.afternoon:
        return hour % 12 + 12
    hours = known.periods.get(key)
    if hours is None:
        return None
    return min((hour % 12, hour % 12 + 12), key=lambda one: min(_apart(one, other) for other in hours))


def _apart(one: int, other: int) -> int:
    between = abs(one - other)
    return min(between, 24 - between)
