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
    f"(?P<a>(?:{_ERA})?\\d{{1,4}})MARK*{_DATE_GAP}MARK*(?P<b>\\d{{1,2}})MARK*{_DATE_GAP}MARK*(?P<c>\\d{{1,4}})"
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
    opening = line[:1]
    if not opening or not (opening in _OPENINGS or opening.isdigit()):
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


class Scanner:
    """Finds the stamps of one file, or (``shape``) only those of one shape. Remembers what the file is like: most lines
    need one look at a short pattern."""

    def __init__(self, shape: Shape | None = None) -> None:
        self._only = shape
        self._quick: re.Pattern[str] | None = None
        self._quick_shape: Shape | None = None
        self._slow: dict[Shape, int] = {}
        self._before: Stamp | None = None
        self._text = "\0"

    def __call__(self, line: str) -> Stamp | None:
        """The stamp that the line begins with, if it begins with one (of the shape asked for)."""
        if line.startswith(self._text):
            return self._before
        if self._quick is not None and self._quick_shape is not None:
            found = self._quick.match(line)
            if found is not None:
                a, b, c, era, before, hour, minute, second, after = found.group(
                    "a", "b", "c", "era", "before", "hour", "minute", "second", "after"
                )
                end = found.end()
                stamp = Stamp(self._quick_shape, (a, b, c), era, before, hour, minute, second, after, end)
                self._text, self._before = line[:end], stamp
                return stamp
        stamp = stamp_of(line)
        if stamp is None or (self._only is not None and stamp.shape != self._only):
            return None
        self._learn(stamp, line)
        return stamp

    def _learn(self, stamp: Stamp, line: str) -> None:
        seen = self._slow[stamp.shape] = self._slow.get(stamp.shape, 0) + 1
        if self._quick is None or seen % _OFTEN == 0:
            has_marks = _MARK.search(line, 1, stamp.end) is not None
            self._quick, self._quick_shape = _quick(stamp.shape, has_marks, bool(stamp.era)), stamp.shape


_OFTEN = 200


@cache
def _quick(shape: Shape, has_marks: bool, has_era: bool) -> re.Pattern[str]:
    """A pattern for stamps of one shape as most lines of one file have them."""
    mark = "MARK*" if has_marks else ""
    date = _DATE if has_marks or has_era else (
        f"(?P<a>\\d{{1,4}}){_DATE_GAP}(?P<b>\\d{{1,2}}){_DATE_GAP}(?P<c>\\d{{1,4}})(?P<era>)"
    )  # fmt: skip
    second = f"{mark}{_MINUTE_GAP}{mark}(?P<second>\\d\\d)" if shape.has_seconds else "(?P<second>)"
    time = f"(?P<hour>\\d{{1,2}}){mark}[:.]{mark}(?P<minute>\\d\\d){second}(?!\\d)"
    before = f"(?P<before>{_WORD})[BLANK]*" if shape.has_word_before else "(?P<before>)"
    after = f"(?:[BLANK]|MARK)*(?P<after>{_WORD})" if shape.has_word_after else "(?P<after>)"
    joint = _JOINT if has_marks else "[,\u060c]?[BLANK]*"
    end = "\\][BLANK]?" if shape.bracket else "[BLANK][-\u2013](?:[BLANK]|$)" if shape.dash else ":(?:[BLANK]|$)"
    middle = f"{before}{time}{after}{joint}{date}" if shape.time_first else f"{date}{joint}{before}{time}{after}"
    start = f"{mark}\\[{mark}" if shape.bracket else mark
    return _compiled(start + middle + end)


def unmarked(text: str) -> str:
    """Without invisible marks."""
    return text if text.isascii() else _MARK.sub("", text)
