"""Further instructions for the judge, out of a tab of the requirements' spreadsheet: one text.

Here: how rows become a text, its hash, the difference of two versions. Not here: the prompt that it goes into
(``request``), credentials that somebody pasted into a cell (``credentials``).
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from typing import Any

from conversations.headed import Fault, Faulty, cell_name, clean

LONGEST_INSTRUCTIONS = 8_000
"""Characters; they are paid for with every call."""


def text_of_rows(rows: Sequence[Sequence[Any]]) -> str:
    """The tab as a text: a line per row, its cells joined by a dash, empty rows as one empty line. May be empty.

    >>> text_of_rows([["Тон", "спокойный"], [], [], ["Скидку предлагать нельзя"]])
    'Тон — спокойный\\n\\nСкидку предлагать нельзя'

    Raises:
        Faulty: a cell that is no text or number (``not_a_value``), or too much of it (``too_long``).
    """
    lines: list[str] = []
    for number, row in enumerate(rows, 1):
        cells = [_cell(value, cell_name(number, column)) for column, value in enumerate(row)]
        line = " — ".join(cell for cell in cells if cell)
        if line or (lines and lines[-1]):
            lines.append(line)
    text = "\n".join(lines).strip()
    if len(text) > LONGEST_INSTRUCTIONS:
        raise Faulty([Fault("", "too_long")])
    return text


def instructions_hash(text: str) -> str:
    """sha256 of the text, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def line_diff(old: str, new: str) -> dict[str, list[str]]:
    """Lines that came and lines that went, in their order; empty ones say nothing.

    >>> line_diff("a\\nb", "a\\nc")
    {'added': ['c'], 'removed': ['b']}
    """
    before, after = (list(filter(None, text.split("\n"))) for text in (old, new))
    added: list[str] = []
    removed: list[str] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += before[i1:i2]
            added += after[j1:j2]
    return {"added": added, "removed": removed}


def _cell(value: Any, place: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Faulty([Fault(place, "not_a_value")])
    return clean(str(value), keep_lines=True)
