"""Tables that people keep in a sheet: a row of headings somewhere at the top, and what is wrong told by cells.

Here: finding the headings, names of cells, texts without what nobody sees. Not here: what a column means
(``conversations.scoring.rubric``, ``conversations.operators``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_COMMENT = re.compile(r"комментар|примечан|заметк|comment|note")
_HEADING_ROWS = 10
"""A title may stand above the headings."""
_TOLD = 20
# halves of a pair as well: no database takes them
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ud800-\udfff\ufeff]"
)


class Fault(NamedTuple):
    """One thing that is wrong."""

    place: str
    """A cell (``B7``), a row, a key of a file (``criteria[2].weight``), or nothing for the whole."""
    code: str
    """Of a closed list; never content."""

    def __str__(self) -> str:
        return f"{self.place}: {self.code}" if self.place else self.code


class Faulty(ValueError):
    """A table that cannot be used; says all that is wrong, by places and codes."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(told(self.faults))


class Odd(Exception):
    """One cell that cannot be understood; ``code`` says why."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def told(faults: Sequence[Fault]) -> str:
    """The first faults in a line."""
    return "; ".join(map(str, faults[:_TOLD])) + ("; …" if len(faults) > _TOLD else "")


def headed(
    rows: Sequence[Sequence[Any]], headings: Mapping[str, Sequence[str]], needed: Sequence[str]
) -> tuple[int, dict[str, int]]:
    """The number of the row of headings, from 0, and the column of each field that has one.

    A heading that is not known is refused, since "автопровал" with a letter missing would switch off an automatic fail
    in silence; only columns of comments are passed over.

    Raises:
        Faulty: ``no_heading_row``, ``unknown_heading``, ``double_heading``, ``missing_heading``.
    """
    field_of = {heading: name for name, known in headings.items() for heading in known}
    for at, row in enumerate(rows[:_HEADING_ROWS]):
        if sum(heading_of(value) in field_of for value in row) >= 2:
            return at, _columns(at + 1, row, field_of, needed)
    raise Faulty([Fault("", "no_heading_row")])


def _columns(number: int, row: Sequence[Any], field_of: Mapping[str, str], needed: Sequence[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    faults: list[Fault] = []
    for column, value in enumerate(row):
        heading = heading_of(value)
        name = field_of.get(heading)
        if name is None:
            if not is_empty(value) and not _COMMENT.match(heading):
                faults.append(Fault(cell_name(number, column), "unknown_heading"))
        elif name in columns:
            faults.append(Fault(cell_name(number, column), "double_heading"))
        else:
            columns[name] = column
    faults += [Fault(f"{number} ({name})", "missing_heading") for name in needed if name not in columns]
    if faults:
        raise Faulty(faults)
    return columns


def cell_name(row: int, column: int) -> str:
    """The name of a cell: row from 1, column from 0.

    >>> cell_name(7, 1), cell_name(1, 26)
    ('B7', 'AA1')
    """
    letters, left = "", column + 1
    while left:
        left, rest = divmod(left - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def heading_of(value: Any) -> str:
    """A heading as it is compared: small letters, single blanks, without what people put at its end.

    >>> heading_of("  Счёт  клиента * ")
    'счет клиента'
    """
    return clean(value).casefold().replace("ё", "е").rstrip(" *:?") if isinstance(value, str) else ""


def clean(value: str, *, keep_lines: bool = False) -> str:
    """A text without invisible characters and needless blanks."""
    plain = _INVISIBLE.sub("", value.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " "))
    lines = [" ".join(line.split()) for line in plain.split("\n")]
    return "\n".join(lines).strip() if keep_lines else " ".join(filter(None, lines))


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing that anybody sees."""
    return value is None or (isinstance(value, str) and not clean(value))


def text_of(value: Any, longest: int, *, keep_lines: bool = False) -> str:
    """A cell as text; a whole number as the person sees it.

    Raises:
        Odd: ``not_a_value``: a truth value, a list, a broken number; ``too_long``.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Odd("not_a_value")
    text = clean(str(value), keep_lines=keep_lines)
    if len(text) > longest:
        raise Odd("too_long")
    return text
