"""The stamp in front of a message: `23.03.2022, 13:31 - `, `[3/18/22, 2:56:01 PM] `, `14:56, 18/3/2022 - ` ...

Here: what a stamp can look like, apart from what its numbers mean. Not here: which of three numbers is the day
(``.order``), which year a number means (``.years``), who wrote the rest of the line (``.line``).

One export is written by one formatter: all its stamps have one shape. Lines of another shape are parts of messages (a
copied piece of another chat looks just like that) and stay with the message that they stand in.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

MARKS = "\ufeff\u200b\u200e\u200f\u061c\u202a-\u202e\u2060\u2066-\u2069"
"""Invisible marks, ready for a character class: byte order, width, direction. The joiner of emoji is not among them."""

BLANKS = " \t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"

_MARK = re.compile(f"[{MARKS}]")


class Shape(NamedTuple):
    """What all stamps of one export have in common."""

    bracket: bool
    """iOS puts the stamp in brackets, Android ends it with a dash; very old iOS exports with a colon."""
    dash: bool
    time_first: bool
    has_seconds: bool
    has_word_before: bool
    has_word_after: bool
    """A word between date and time, after the time: a half of the day, or something like `à`."""


class Stamp(NamedTuple):
    """The parts of a stamp as they stand in the line; digits of any script."""

    shape: Shape
    numbers: tuple[str, str, str]
    """The three numbers of the date, in the order of the line; an era in front of the first one is kept."""
    era: str
    """What follows the date: `BE`, `г.` or nothing."""
    word_before: str
    hour: str
    minute: str
    second: str
    word_after: str
    end: int
    """Where the rest of the line begins."""

    @property
    def word(self) -> str:
        """The word beside the time, if any."""
        return self.word_after or self.word_before


_ERA = "(?:[RHS]\\.?|令和|平成|民國|民国|พ\\.?ศ\\.?|ค\\.?ศ\\.?)[BLANK]?"
_DATE_GAP = "[BLANK]?[./\\-\u2010-\u2013\u2044\u2215年月년월][BLANK]?"
_YEAR_MARKS = "г|p|r|A\\.?P|B\\.?E|C\\.?E|A\\.?D|A\\.?H|พ\\.?ศ|ค\\.?ศ|ه\\.?ش|هـ|م"
_AFTER_DATE = f"(?:[.日일號号]|[BLANK]?(?:{_YEAR_MARKS})(?:\\.|(?![^\\W\\d_])))"
_DATE = (
    f"(?P<a>(?:{_ERA}MARK*)?\\d{{1,4}})MARK*{_DATE_GAP}MARK*(?P<b>\\d{{1,2}})MARK*{_DATE_GAP}MARK*(?P<c>\\d{{1,4}})"
    f"MARK*(?P<era>{_AFTER_DATE}{{0,2}})"
)
_HOUR_GAP = "(?:[:.\u066b\uff1a\u2236]|[BLANK]?(?:h|時|时|点|點|시)[BLANK]?)"
_MINUTE_GAP = "(?:[:.\u066b\uff1a\u2236]|[BLANK]?(?:min|分|분)[BLANK]?)"
_TIME = (
    f"(?P<hour>\\d{{1,2}})MARK*{_HOUR_GAP}MARK*(?P<minute>\\d\\d)"
    f"(?:MARK*{_MINUTE_GAP}MARK*(?P<second>\\d\\d))?(?!\\d)(?:[BLANK]?(?:s|秒|초|分|분)(?![^\\W\\d_]))?"
)
_WORD = "[^\\W\\d_][^\\d\\[\\]:\\n]{0,19}?"
_JOINT = "MARK*[,\u060c\u3001\uff0c;]?(?:[BLANK]|MARK)*"
_BEFORE = f"(?P<before>{_WORD})?(?:[BLANK]|MARK)*"
_AFTER = f"(?:(?:[BLANK]|MARK)*(?P<after>{_WORD}))?"
_DASHED_END = "(?:(?:[BLANK]|MARK)+[-\u2013\u2014](?:[BLANK]|$)|:(?:[BLANK]|$))"
_END = f"(?P<end>(?(bracket)(?:[BLANK]|MARK)*\\][BLANK]?|{_DASHED_END}))"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("BLANK", BLANKS).replace("MARK", f"[{MARKS}]"))


_START = "MARK*(?P<bracket>\\[)?MARK*"
_DATE_FIRST = _compiled(f"{_START}{_DATE}{_JOINT}{_BEFORE}{_TIME}{_AFTER}{_END}")
_TIME_FIRST = _compiled(f"{_START}(?P<before>){_TIME}{_AFTER}{_JOINT}{_DATE}{_END}")

_OPENINGS = frozenset("[RHS令平民พค") | frozenset(
    chr(code)
    for first, last in (
        (0xFEFF, 0xFEFF), (0x200B, 0x200B), (0x200E, 0x200F), (0x61C, 0x61C), (0x202A, 0x202E), (0x2060, 0x2060),
        (0x2066, 0x2069),
    )
    for code in range(first, last + 1)
)  # fmt: skip


def stamp_of(line: str) -> Stamp | None:
    """The stamp that the line begins with, if it begins with one.

    >>> stamp_of("23.03.22 13:31 - Имя: текст").numbers
    ('23', '03', '22')
    >>> found = stamp_of("\u200e[14:56:01, 3/18/22] A: b")
    >>> found.shape.time_first, found.hour, found.numbers[2]
    (True, '14', '22')
    >>> stamp_of("2 + 2 = 4"), stamp_of("")
    (None, None)
    """
    if not may_begin(line):
        return None
    found = _DATE_FIRST.match(line)
    time_first = found is None
    if found is None:
        found = _TIME_FIRST.match(line)
        if found is None:
            return None
    a, b, c, era, before, hour, minute, second, after, end = found.group(
        "a", "b", "c", "era", "before", "hour", "minute", "second", "after", "end"
    )
    bracket = found["bracket"] is not None
    return Stamp(
        Shape(
            bracket, not bracket and ":" not in end, time_first, second is not None, bool(before),
            after is not None,
        ),
        (a, b, c), era, before or "", hour, minute, second or "", after or "", found.end(),
    )  # fmt: skip


class Quick(NamedTuple):
    """A short pattern for most lines of one file, and its groups: what stands around the hour (the day), the word
    beside the time, hour, minute, second."""

    pattern: re.Pattern[str]
    groups: tuple[int, int, int, int, int]


@cache
def quick(shape: Shape, has_marks: bool, has_era: bool) -> Quick | None:
    """The short pattern for lines of a shape; ``None``: there is none, use ``stamp_of``.

    Whatever it finds, ``stamp_of`` finds as well; it does not find all that ``stamp_of`` finds.
    """
    if shape.has_word_before and shape.has_word_after:
        return None
    mark = "MARK*" if has_marks else ""
    joint = "(?:[BLANK]|MARK)*" if has_marks else "[BLANK]*"
    date = f"\\d{{1,4}}{mark}{_DATE_GAP}{mark}\\d{{1,2}}{mark}{_DATE_GAP}{mark}\\d{{1,4}}{mark}" + (
        f"{_AFTER_DATE}{{0,2}}" if has_era else ""
    )
    second = f"{mark}{_MINUTE_GAP}{mark}(?P<second>\\d\\d)" if shape.has_seconds else "(?P<second>)"
    time = f"(?P<hour>\\d{{1,2}}){mark}[:.]{mark}(?P<minute>\\d\\d){second}(?!\\d)"
    if shape.has_word_before:
        time = f"(?P<word>{_WORD}){joint}{time}"
    elif shape.has_word_after:
        time = f"{time}{joint}(?P<word>{_WORD})"
    else:
        time = f"(?P<word>){time}"
    middle = (
        f"{time}{mark}[,\u060c]?{joint}(?P<day>{date})"
        if shape.time_first
        else f"(?P<day>{date}{mark}[,\u060c]?){joint}{time}"
    )
    end = "\\][BLANK]?" if shape.bracket else "[BLANK][-\u2013](?:[BLANK]|$)" if shape.dash else ":(?:[BLANK]|$)"
    # iOS puts a mark in front of the lines that it wrote itself, whatever the others have
    pattern = _compiled((f"{mark or 'MARK?'}\\[{mark}" if shape.bracket else mark) + middle + end)
    names = pattern.groupindex
    return Quick(pattern, (names["day"], names["word"], names["hour"], names["minute"], names["second"]))


def quick_for(stamp: Stamp, line: str) -> Quick | None:
    """The short pattern for lines like this one."""
    return quick(stamp.shape, _MARK.search(line, 1, stamp.end) is not None, bool(stamp.era))


def may_begin(line: str) -> bool:
    """Whether it is worth looking for a stamp: most lines that go on with a message begin with a letter."""
    opening = line[:1]
    return opening in _OPENINGS or opening.isdigit()


def unmarked(text: str) -> str:
    """Without invisible marks."""
    return text if text.isascii() else _MARK.sub("", text)
