"""References inside formulas, and how they move when rows, columns and tabs do.

Here: finding them in a formula's text and spelling them anew. Not here: what they come to (``sheets_formulas``).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.emulators.sheets_grid import Formula, letters, number, quoted

REF = re.compile(
    r"(?P<text>\"(?:[^\"]|\"\")*\")"
    r"|(?:(?P<tab>'(?:[^']|'')+'|[^\W\d]\w*)!)?"
    r"(?:(?P<a>\$?[A-Za-z]{1,3}\$?[1-9]\d*)(?::(?P<b>\$?[A-Za-z]{1,3}\$?[1-9]\d*|\$?[A-Za-z]{1,3}))?"
    r"|(?P<c>\$?[A-Za-z]{1,3}):(?P<d>\$?[A-Za-z]{1,3}))(?![\w(!])"
)

Move = Callable[[str | None, list[str]], list[str] | None]
"""Tab of a reference (``None``: the formula's own) and its corners -> the corners afterwards; ``None``: gone."""


def moved(formula: Formula, move: Move, rename: Callable[[str], str | None] = lambda tab: tab) -> Formula:
    """The formula with every reference moved; ``rename`` gives a tab's new title, ``None`` when it is gone."""

    def one(hit: re.Match[str]) -> str:
        if hit["text"] is not None:
            return hit[0]
        tab = hit["tab"]
        title = None if tab is None else tab[1:-1].replace("''", "'") if tab.startswith("'") else tab
        prefix = ""
        if title is not None:
            renamed = rename(title)
            if renamed is None:
                return "#REF!"
            prefix = f"{quoted(renamed)}!"
        corners = [part for part in (hit["a"], hit["b"], hit["c"], hit["d"]) if part]
        ends = move(title, corners)
        return f"{prefix}#REF!" if ends is None else prefix + ":".join(ends)

    return Formula(REF.sub(one, formula.text))


def shift(rows: int, columns: int) -> Move:
    """References as a copied formula has them: ``$`` holds a side where it is."""

    def move(_: str | None, corners: list[str]) -> list[str] | None:
        found = []
        for corner in corners:
            column_fixed, column, row_fixed, row = _parts(corner)
            column += 0 if column_fixed else columns
            row = None if row is None else row + (0 if row_fixed else rows)
            if column < 0 or (row is not None and row < 0):
                return None
            found.append(_spelled(column_fixed, column, row_fixed, row))
        return found

    return move


def resize(own: str, title: str, is_rows: bool, start: int, end: int, by: int) -> Move:
    """References after rows (or columns) of the tab ``title`` were inserted at ``start`` (``by`` > 0), or
    ``[start, end)`` of them deleted (``by`` < 0), in a formula of the tab ``own``."""

    def move(tab: str | None, corners: list[str]) -> list[str] | None:
        if (own if tab is None else tab).casefold() != title.casefold():
            return corners
        parts = [_parts(corner) for corner in corners]
        places = [row if is_rows else column for _, column, _, row in parts]
        if None in places:
            return corners
        if by < 0 and all(start <= place < end for place in places if place is not None):
            return None
        found = []
        for which, (column_fixed, column, row_fixed, row) in enumerate(parts):
            place = places[which]
            assert place is not None
            if by > 0:
                place += by if place >= start else 0
            elif place >= end:
                place += by
            elif place >= start:
                # an end of a range inside what is gone: the nearest cell that stays
                place = start if which == 0 else start - 1
            column, row = (column, place) if is_rows else (place, row)
            found.append(_spelled(column_fixed, column, row_fixed, row))
        return found

    return move


def still(_: str | None, corners: list[str]) -> list[str] | None:
    """References stay; for renamed and deleted tabs."""
    return corners


def _parts(corner: str) -> tuple[str, int, str, int | None]:
    hit = re.fullmatch(r"(\$?)([A-Za-z]+)(?:(\$?)(\d+))?", corner)
    assert hit is not None
    return hit[1], number(hit[2]), hit[3] or "", int(hit[4]) - 1 if hit[4] else None


def _spelled(column_fixed: str, column: int, row_fixed: str, row: int | None) -> str:
    return f"{column_fixed}{letters(column)}" + ("" if row is None else f"{row_fixed}{row + 1}")
