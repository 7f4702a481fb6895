"""A spreadsheet as it lies in memory: tabs, grids, cells, and the notation that names a range of them.

Here: what there is and where; limits of a whole spreadsheet. Not here: how values come in and go out
(``sheets_values``), structural requests (``sheets_batch``), what a formula says (``sheets_formulas``).

Rows are tuples and never changed in place, so a copy of a sheet costs one pointer per row: a request that fails in the
middle is undone by keeping the copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.emulators.sheets_schema import Refused

MAX_CELLS = 10_000_000
MAX_COLUMNS = 18_278
MAX_TEXT = 50_000
MAX_TITLE = 100


@dataclass(frozen=True)
class Formula:
    """A formula as it was entered, with its ``=``."""

    text: str


Cell = None | bool | float | str | Formula
Extras = dict[str, Any]
"""Everything of the API's ``CellData`` except the value: format, note, validation; never changed in place."""


@dataclass
class Sheet:
    """One tab with a grid."""

    sheet_id: int
    title: str
    row_count: int = 1000
    column_count: int = 26
    hidden: bool = False
    frozen_rows: int = 0
    frozen_columns: int = 0
    more: dict[str, Any] = field(default_factory=dict)
    """Properties that have no effect here (colour of the tab, grid lines), kept as given."""
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    """Ragged: what lies behind the end of a row, and rows behind the last, are empty."""
    extras: dict[tuple[int, int], Extras] = field(default_factory=dict)
    row_meta: dict[int, dict[str, Any]] = field(default_factory=dict)
    column_meta: dict[int, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    """Merges, filter, protected and banded ranges, conditional formats: lists of what was given."""

    def copy(self) -> Sheet:
        return replace(
            self,
            more=dict(self.more),
            rows=list(self.rows),
            extras=dict(self.extras),
            row_meta=dict(self.row_meta),
            column_meta=dict(self.column_meta),
            parts={name: list(value) if isinstance(value, list) else value for name, value in self.parts.items()},
        )

    def cell(self, row: int, column: int) -> Cell:
        if row >= len(self.rows) or column >= len(self.rows[row]):
            return None
        return self.rows[row][column]

    def put(self, row: int, column: int, values: Iterable[Cell]) -> None:
        """Set cells of one row from ``column`` on; the caller has looked at the limits."""
        while len(self.rows) <= row:
            self.rows.append(())
        old = self.rows[row]
        given = tuple(values)
        if column > len(old):
            old += (None,) * (column - len(old))
        new = old[:column] + given + old[column + len(given) :]
        while new and new[-1] is None:
            new = new[:-1]
        self.rows[row] = new

    def unrich(self, top: int, bottom: int, left: int, right: int) -> None:
        """A new value loses the rich text of the one before."""
        for place, extras in list(self.extras.items()):
            if "textFormatRuns" in extras and top <= place[0] < bottom and left <= place[1] < right:
                self.extras[place] = {name: value for name, value in extras.items() if name != "textFormatRuns"}

    def used(self) -> tuple[int, int]:
        """Rows and columns up to the last cell that holds something."""
        rows = len(self.rows)
        while rows and not self.rows[rows - 1]:
            rows -= 1
        return rows, max((len(row) for row in self.rows), default=0)

    def properties(self, index: int) -> dict[str, Any]:
        grid: dict[str, Any] = {"rowCount": self.row_count, "columnCount": self.column_count}
        if self.frozen_rows:
            grid["frozenRowCount"] = self.frozen_rows
        if self.frozen_columns:
            grid["frozenColumnCount"] = self.frozen_columns
        more = dict(self.more)
        grid.update(more.pop("gridProperties", {}))
        shown = {
            "sheetId": self.sheet_id,
            "title": self.title,
            "index": index,
            "sheetType": "GRID",
            "gridProperties": grid,
        }
        return {**shown, **({"hidden": True} if self.hidden else {}), **more}


@dataclass
class Spreadsheet:
    """One document."""

    id: str
    title: str
    locale: str = "ru_RU"
    time_zone: str = "Europe/Moscow"
    sheets: list[Sheet] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)
    """Who may what: ``writer`` or ``reader`` by e-mail address."""
    metadata: dict[int, dict[str, Any]] = field(default_factory=dict)
    named: dict[str, dict[str, Any]] = field(default_factory=dict)
    revision: int = 0
    actor: str | None = None
    """Whose request is being done; ``None``: a person at the window, who may do everything."""

    def copy(self) -> Spreadsheet:
        return replace(
            self, sheets=[sheet.copy() for sheet in self.sheets], metadata=dict(self.metadata), named=dict(self.named)
        )

    def sheet(self, sheet_id: int, where: str, kind: str = "grid") -> Sheet:
        for sheet in self.sheets:
            if sheet.sheet_id == sheet_id:
                return sheet
        raise Refused(400, f"{where}No {kind} with id: {sheet_id}")

    def titled(self, title: str) -> Sheet | None:
        """The tab of this title; titles differ by more than case."""
        wanted = title.casefold()
        return next((sheet for sheet in self.sheets if sheet.title.casefold() == wanted), None)

    def cells(self) -> int:
        return sum(sheet.row_count * sheet.column_count for sheet in self.sheets)

    def check_cells(self, where: str = "") -> None:
        """Empty cells of the grids count."""
        if self.cells() > MAX_CELLS:
            raise Refused(
                400,
                f"{where}This action would increase the number of cells in the workbook above the limit of "
                f"{MAX_CELLS} cells.",
            )


@dataclass(frozen=True)
class Area:
    """A range of one sheet, half open, within the grid."""

    sheet: Sheet
    top: int
    bottom: int
    left: int
    right: int
    single: bool = False
    """One cell was named: where a write begins, not where it must end."""

    @property
    def a1(self) -> str:
        return f"{quoted(self.sheet.title)}!{corner(self.top, self.left)}" + (
            ""
            if (self.bottom - self.top, self.right - self.left) == (1, 1)
            else f":{corner(self.bottom - 1, self.right - 1)}"
        )


def letters(column: int) -> str:
    """``A`` for 0, ``AA`` for 26."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def number(text: str) -> int:
    """0 for ``A``."""
    found = 0
    for letter in text.upper():
        found = found * 26 + ord(letter) - 64
    return found - 1


def corner(row: int, column: int) -> str:
    return f"{letters(column)}{row + 1}"


def quoted(title: str) -> str:
    """The title as ranges spell it."""
    plain = re.fullmatch(r"[^\W\d]\w*", title) and not re.fullmatch(r"[A-Za-z]{1,3}\d+|[rRcC]\d*", title)
    return title if plain else "'" + title.replace("'", "''") + "'"


_CORNER = re.compile(r"\$?([A-Za-z]{1,3})?\$?([1-9]\d{0,7})?")


def area(book: Spreadsheet, text: str, *, write: bool = False) -> Area:
    """The range that A1 notation names.

    Raises:
        Refused: no such tab, no range, or it begins outside of the grid (for a write: or ends there).
    """
    sheet, cells = _split(book, text)
    if not cells:
        return Area(sheet, 0, sheet.row_count, 0, sheet.column_count)
    first, colon, last = cells.partition(":")
    begin, end = (_CORNER.fullmatch(part) for part in (first, last if colon else first))
    if begin is None or end is None or not first or not (last or not colon):
        raise Refused(400, f"Unable to parse range: {text}")
    if not colon and not (begin[1] and begin[2]):
        raise Refused(400, f"Unable to parse range: {text}")
    columns = [number(hit[1]) if hit[1] else None for hit in (begin, end)]
    rows = [int(hit[2]) - 1 if hit[2] else None for hit in (begin, end)]
    if (columns[0] is None) != (columns[1] is None) and rows[0] is None:
        raise Refused(400, f"Unable to parse range: {text}")
    top, left = rows[0] or 0, columns[0] or 0
    bottom = rows[1] + 1 if rows[1] is not None else sheet.row_count
    right = columns[1] + 1 if columns[1] is not None else sheet.column_count
    if rows[0] is not None and rows[1] is not None and top >= bottom:
        top, bottom = bottom - 1, top + 1
    if left >= right:
        left, right = right - 1, left + 1
    outside = top >= sheet.row_count or left >= sheet.column_count
    if outside or (write and (bottom > sheet.row_count or right > sheet.column_count)):
        raise beyond(sheet, text if "!" in text else f"{quoted(sheet.title)}!{text}")
    return Area(sheet, top, min(bottom, sheet.row_count), left, min(right, sheet.column_count), single=not colon)


def beyond(sheet: Sheet, text: str) -> Refused:
    """What is said of a range outside of the grid."""
    return Refused(
        400, f"Range ({text}) exceeds grid limits. Max rows: {sheet.row_count}, max columns: {sheet.column_count}"
    )


def guard(book: Spreadsheet, found: Area, where: str) -> None:
    """Protected ranges keep out who is not among their editors.

    Raises:
        Refused: the range touches one.
    """
    if book.actor is None:
        return
    for one in found.sheet.parts.get("protectedRanges", []):
        if one.get("warningOnly") or book.actor in (*one.get("editors", {}).get("users", []), one["_by"]):
            continue
        held = from_grid_range(book, one["range"], where)
        rows, columns = (
            max(found.top, held.top) < min(found.bottom, held.bottom),
            max(found.left, held.left) < min(found.right, held.right),
        )
        if rows and columns:
            raise Refused(
                400,
                f"{where}You are trying to edit a protected cell or object. Please contact the spreadsheet owner to "
                "remove protection if you need to edit.",
            )


def _split(book: Spreadsheet, text: str) -> tuple[Sheet, str]:
    """The tab and what stands behind the ``!``."""
    if text.startswith("'"):
        hit = re.fullmatch(r"'((?:[^']|'')*)'(?:!(.*))?", text, re.DOTALL)
        if hit is None or (hit[2] is not None and not hit[2]):
            raise Refused(400, f"Unable to parse range: {text}")
        title, cells = hit[1].replace("''", "'"), hit[2] or ""
    elif "!" in text:
        title, _, cells = text.rpartition("!")
        if not cells:
            raise Refused(400, f"Unable to parse range: {text}")
    else:
        named = book.named.get(text)
        if named is not None:
            found = from_grid_range(book, named["range"], "")
            return found.sheet, found.a1.rpartition("!")[2]
        sheet = book.titled(text)
        if sheet is not None:
            return sheet, ""
        first = next(sheet for sheet in book.sheets if not sheet.hidden)
        return first, text or "?"
    sheet = book.titled(title)
    if sheet is None:
        raise Refused(400, f"Unable to parse range: {text}")
    return sheet, cells


def from_grid_range(book: Spreadsheet, given: dict[str, Any], where: str) -> Area:
    """The range that a request's ``GridRange`` names.

    Raises:
        Refused: no such tab, begins behind its end, or reaches outside of the grid.
    """
    sheet = book.sheet(given.get("sheetId", 0), where)
    sides = {}
    for what, count in (("Row", sheet.row_count), ("Column", sheet.column_count)):
        start, end = given.get(f"start{what}Index", 0), given.get(f"end{what}Index", count)
        if start < 0:
            raise Refused(400, f"{where}start{what}Index[{start}] cannot be negative.")
        if start > end or (start == end and f"end{what}Index" in given):
            raise Refused(400, f"{where}end{what}Index[{end}] must be after start{what}Index[{start}].")
        if start >= count:
            raise Refused(
                400,
                f"{where}GridRange.start{what}Index[{start}] is after last {what.lower()} in grid[{count}]",
            )
        if end > count:
            raise Refused(400, f"{where}GridRange.end{what}Index[{end}] is after last {what.lower()} in grid[{count}]")
        sides[what] = (start, end)
    return Area(sheet, *sides["Row"], *sides["Column"])
