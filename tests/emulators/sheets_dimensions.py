"""Requests of ``batchUpdate`` about rows and columns: appended, inserted, deleted, sized.

Here: the grid's counts and what moves with its rows and columns: cells, formats, sizes, references of formulas.
Not here: tabs (``sheets_batch``), what stands in cells (``sheets_cells``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.emulators.sheets_cells import fields
from tests.emulators.sheets_grid import MAX_COLUMNS, Area, Formula, Sheet, Spreadsheet, guard
from tests.emulators.sheets_names import shifted
from tests.emulators.sheets_references import Move, moved, resize
from tests.emulators.sheets_schema import Refused, merged

Given = dict[str, Any]


def set_size(book: Spreadsheet, sheet: Sheet, rows: int | None, columns: int | None, where: str) -> None:
    if rows is not None:
        if rows < 1:
            raise Refused(400, f"{where}The sheet must have at least one row: {rows}")
        if rows < sheet.row_count:
            _drop(book, sheet, True, rows, sheet.row_count)
        sheet.row_count = rows
    if columns is not None:
        if not 1 <= columns <= MAX_COLUMNS:
            raise Refused(400, f"{where}The sheet must have from 1 to {MAX_COLUMNS} columns: {columns}")
        if columns < sheet.column_count:
            _drop(book, sheet, False, columns, sheet.column_count)
        sheet.column_count = columns
    book.check_cells(where)


def move_all(book: Spreadsheet, move: Callable[[Sheet], Move], rename: Callable[[str], str | None]) -> None:
    """Move the references of every formula of the spreadsheet."""
    for sheet in book.sheets:
        there = move(sheet)
        for number, row in enumerate(sheet.rows):
            if any(isinstance(cell, Formula) for cell in row):
                sheet.rows[number] = tuple(
                    moved(cell, there, rename) if isinstance(cell, Formula) else cell for cell in row
                )


def _drop(book: Spreadsheet, sheet: Sheet, is_rows: bool, start: int, end: int) -> None:
    """Take rows or columns out; the grid's count is the caller's."""
    if is_rows:
        del sheet.rows[start:end]
    else:
        sheet.rows = [row[:start] + row[end:] for row in sheet.rows]
    _shift_marks(sheet, is_rows, start, end, start - end)
    shifted(book, sheet.sheet_id, is_rows, start, end, start - end)
    move_all(book, lambda own: resize(own.title, sheet.title, is_rows, start, end, start - end), lambda tab: tab)


def _shift_marks(sheet: Sheet, is_rows: bool, start: int, end: int, by: int) -> None:
    """Formats and sizes follow their cells."""

    def place(old: int) -> int | None:
        if by < 0 and start <= old < end:
            return None
        return old + by if old >= (end if by < 0 else start) else old

    extras = {}
    for (row, column), value in sheet.extras.items():
        new = place(row if is_rows else column)
        if new is not None:
            extras[(new, column) if is_rows else (row, new)] = value
    sheet.extras = extras
    meta = sheet.row_meta if is_rows else sheet.column_meta
    kept = {new: value for old, value in meta.items() if (new := place(old)) is not None}
    meta.clear()
    meta.update(kept)


def _dimension(given: Given, where: str) -> bool:
    kind = given.get("dimension", "DIMENSION_UNSPECIFIED")
    if kind == "DIMENSION_UNSPECIFIED":
        raise Refused(400, f"{where}dimension must be specified")
    return kind == "ROWS"


def append_dimension(book: Spreadsheet, given: Given, where: str) -> None:
    sheet, is_rows = book.sheet(given.get("sheetId", 0), where), _dimension(given, where)
    length = given.get("length", 0)
    if length < 1:
        raise Refused(400, f"{where}length must be greater than zero: {length}")
    if is_rows:
        set_size(book, sheet, sheet.row_count + length, None, where)
    else:
        set_size(book, sheet, None, sheet.column_count + length, where)


def _span(book: Spreadsheet, given: Given, where: str) -> tuple[Sheet, bool, int, int]:
    """Sheet and half-open span of a ``DimensionRange`` inside the grid."""
    sheet, is_rows = book.sheet(given.get("sheetId", 0), where), _dimension(given, where)
    count = sheet.row_count if is_rows else sheet.column_count
    start, end = given.get("startIndex", 0), given.get("endIndex", count)
    if not 0 <= start < end:
        raise Refused(400, f"{where}endIndex[{end}] must be after startIndex[{start}].")
    return sheet, is_rows, start, end


def _within(sheet: Sheet, is_rows: bool, end: int, where: str) -> None:
    count = sheet.row_count if is_rows else sheet.column_count
    if end > count:
        what = "row" if is_rows else "column"
        raise Refused(400, f"{where}endIndex[{end}] is after last {what} in grid[{count}]")


def insert_dimension(book: Spreadsheet, given: Given, where: str) -> None:
    sheet, is_rows, start, end = _span(book, given.get("range", {}), where)
    _within(sheet, is_rows, start, where)
    if given.get("inheritFromBefore") and start == 0:
        raise Refused(400, f"{where}inheritFromBefore cannot be true if inserting at the start of the sheet.")
    by = end - start
    if is_rows:
        if start < len(sheet.rows):
            sheet.rows[start:start] = [()] * by
        sheet.row_count += by
    else:
        sheet.rows = [row[:start] + (None,) * by + row[start:] if start < len(row) else row for row in sheet.rows]
        sheet.column_count += by
        if sheet.column_count > MAX_COLUMNS:
            raise Refused(400, f"{where}The sheet must have from 1 to {MAX_COLUMNS} columns: {sheet.column_count}")
    book.check_cells(where)
    _shift_marks(sheet, is_rows, start, end, by)
    shifted(book, sheet.sheet_id, is_rows, start, end, by)
    move_all(book, lambda own: resize(own.title, sheet.title, is_rows, start, end, by), lambda tab: tab)


def delete_dimension(book: Spreadsheet, given: Given, where: str) -> None:
    sheet, is_rows, start, end = _span(book, given.get("range", {}), where)
    _within(sheet, is_rows, end, where)
    what = "rows" if is_rows else "columns"
    count, frozen = (sheet.row_count, sheet.frozen_rows) if is_rows else (sheet.column_count, sheet.frozen_columns)
    if end - start == count:
        raise Refused(400, f"{where}You can't delete all the {what} on the sheet.")
    if frozen and start <= frozen and end == count:
        raise Refused(400, f"{where}Sorry, it is not possible to delete all non-frozen {what}.")
    across = (0, sheet.column_count if is_rows else sheet.row_count)
    gone = Area(sheet, start, end, *across) if is_rows else Area(sheet, *across, start, end)
    guard(book, gone, where)
    _drop(book, sheet, is_rows, start, end)
    held = max(0, min(end, frozen) - start)
    if is_rows:
        sheet.row_count, sheet.frozen_rows = count - (end - start), frozen - held
    else:
        sheet.column_count, sheet.frozen_columns = count - (end - start), frozen - held


def update_dimension_properties(book: Spreadsheet, given: Given, where: str) -> None:
    wanted = fields(given, "DimensionProperties", where)
    sheet, is_rows, start, end = _span(book, given.get("range", {}), where)
    _within(sheet, is_rows, end, where)
    meta = sheet.row_meta if is_rows else sheet.column_meta
    for place in range(start, end):
        meta[place] = merged(meta.get(place, {}), given.get("properties", {}), wanted)


def auto_resize_dimensions(book: Spreadsheet, given: Given, where: str) -> None:
    """Columns as wide as their longest line, within reason; rows stay."""
    sheet, is_rows, start, end = _span(book, given.get("dimensions", {}), where)
    _within(sheet, is_rows, end, where)
    if is_rows:
        return
    for column in range(start, end):
        longest = max(
            (len(line) for row in sheet.rows if column < len(row) for line in str(row[column] or "").split("\n")),
            default=0,
        )
        sheet.column_meta[column] = {**sheet.column_meta.get(column, {}), "pixelSize": max(21, 7 * longest + 14)}
