"""Requests of ``batchUpdate`` that fill cells: updateCells, repeatCell, appendCells, copyPaste, findReplace and their
like.

Here: values and formats of cells. Not here: tabs, rows and columns themselves (``sheets_batch``).
"""

from __future__ import annotations

from typing import Any

from tests.emulators.sheets_formulas import Book
from tests.emulators.sheets_grid import Area, Cell, Extras, Formula, Sheet, Spreadsheet, from_grid_range, guard
from tests.emulators.sheets_references import moved, shift
from tests.emulators.sheets_schema import Mask, Refused, document, mask, merged
from tests.emulators.sheets_values import check_text

Given = dict[str, Any]


def fields(given: Given, schema: str, where: str) -> Mask:
    """The mask of a request.

    Raises:
        Refused: none, or a name that is no field, or one that only Google writes.
    """
    text = given.get("fields", "")
    if not text:
        raise Refused(400, f"{where}At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    try:
        found = mask(text, schema)
    except ValueError as error:
        raise Refused(400, f"{where}Invalid field: {error}") from None
    known = document()["schemas"][schema]["properties"]
    for name in found:
        described = known.get(name, {}).get("description", "").lower()
        if described.startswith("output only") or "this field is read-only" in described:
            raise Refused(400, f"{where}Field is read-only: {name}")
    return found


def _value(given: Given, where: str) -> Cell:
    if "stringValue" in given:
        check_text(given["stringValue"])
        return given["stringValue"] or None
    if "formulaValue" in given:
        if not given["formulaValue"].startswith("="):
            raise Refused(400, f"{where}Invalid formula: {given['formulaValue'][:50]}")
        return Formula(given["formulaValue"])
    if "boolValue" in given:
        return bool(given["boolValue"])
    if "errorValue" in given:
        raise Refused(400, f"{where}errorValue is read-only")
    return float(given["numberValue"]) if "numberValue" in given else None


def _fill(sheet: Sheet, row: int, column: int, data: Given, wanted: Mask, where: str, by: tuple[int, int]) -> None:
    """Take the masked fields of one ``CellData``; formulas as if copied ``by`` rows and columns away."""
    if "*" in wanted or "userEnteredValue" in wanted:
        cell = _value(data.get("userEnteredValue", {}), where)
        if isinstance(cell, Formula) and by != (0, 0):
            cell = moved(cell, shift(*by))
        sheet.put(row, column, [cell])
        extras = sheet.extras.get((row, column), {})
        if "textFormatRuns" in extras:
            sheet.extras[row, column] = {part: found for part, found in extras.items() if part != "textFormatRuns"}
    rest = {name: inside for name, inside in wanted.items() if name != "userEnteredValue"}
    if rest:
        old = sheet.extras.get((row, column), {})
        new = {name: value for name, value in data.items() if name != "userEnteredValue"}
        new = merged(old, new, rest)
        _check_runs(new.get("textFormatRuns", []), sheet.cell(row, column), where)
        _set_extras(sheet, row, column, {name: value for name, value in new.items() if value not in ({}, [])})


def _check_runs(runs: list[Given], value: Cell, where: str) -> None:
    """Rich text lies on a text, and each run begins inside of it, behind the one before."""
    if not runs:
        return
    if not isinstance(value, str):
        raise Refused(400, f"{where}textFormatRuns are only valid on user entered strings")
    starts = [run.get("startIndex", 0) for run in runs]
    units = len(value.encode("utf-16-le", "surrogatepass")) // 2
    if starts != sorted(set(starts)) or starts[0] < 0 or starts[-1] >= units:
        raise Refused(400, f"{where}textFormatRuns.startIndex{starts} must ascend within 0 to {units - 1}")
    for run in runs:
        uri = run.get("format", {}).get("link", {}).get("uri")
        if uri is not None and not uri.startswith(("http://", "https://", "mailto:", "#")):
            raise Refused(400, f"{where}Invalid link: {uri[:50]}")


def _set_extras(sheet: Sheet, row: int, column: int, extras: Extras) -> None:
    if extras:
        sheet.extras[row, column] = extras
    else:
        sheet.extras.pop((row, column), None)


def update_cells(book: Spreadsheet, given: Given, where: str) -> None:
    wanted = fields(given, "CellData", where)
    rows = given.get("rows", [])
    if "start" in given:
        start = given["start"]
        sheet = book.sheet(start.get("sheetId", 0), where)
        top, left = start.get("rowIndex", 0), start.get("columnIndex", 0)
        if top >= sheet.row_count or left >= sheet.column_count or top < 0 or left < 0:
            raise Refused(400, f"{where}GridCoordinate.rowIndex[{top}] is after last row in grid[{sheet.row_count}]")
        area = Area(sheet, top, sheet.row_count, left, sheet.column_count)
    elif "range" in given:
        area = from_grid_range(book, given["range"], where)
    else:
        raise Refused(400, f"{where}Must set either 'start' or 'range'.")
    width = max((len(row.get("values", [])) for row in rows), default=0)
    bottom, right = min(area.top + len(rows), area.bottom), min(area.left + width, area.right)
    guard(book, area if "range" in given else Area(area.sheet, area.top, bottom, area.left, right), where)
    for number, row in enumerate(rows):
        if area.top + number >= area.bottom:
            raise Refused(
                400,
                f"{where}Attempting to write row: {area.top + number}, beyond the last requested row of: "
                f"{area.bottom - 1}",
            )
        for offset, data in enumerate(row.get("values", [])):
            if area.left + offset >= area.right:
                raise Refused(
                    400,
                    f"{where}Attempting to write column: {area.left + offset}, beyond the last requested column of: "
                    f"{area.right - 1}",
                )
            _fill(area.sheet, area.top + number, area.left + offset, data or {}, wanted, where, (0, 0))
    if "range" in given:
        # the rest of the range loses the masked fields
        for number in range(area.bottom - area.top):
            have = len(rows[number].get("values", [])) if number < len(rows) else 0
            for column in range(area.left + have, area.right):
                row_number = area.top + number
                if area.sheet.cell(row_number, column) is not None or (row_number, column) in area.sheet.extras:
                    _fill(area.sheet, row_number, column, {}, wanted, where, (0, 0))


def append_cells(book: Spreadsheet, given: Given, where: str) -> None:
    """Below the last row with data of the whole sheet; the grid grows."""
    wanted = fields(given, "CellData", where)
    sheet = book.sheet(given.get("sheetId", 0), where)
    rows = given.get("rows", [])
    top = sheet.used()[0]
    sheet.row_count = max(sheet.row_count, top + len(rows))
    book.check_cells(where)
    for number, row in enumerate(rows):
        values = row.get("values", [])
        if len(values) > sheet.column_count:
            raise Refused(
                400,
                f"{where}Attempting to write column: {sheet.column_count}, beyond the last requested column of: "
                f"{sheet.column_count - 1}",
            )
        for column, data in enumerate(values):
            _fill(sheet, top + number, column, data or {}, wanted, where, (0, 0))


def repeat_cell(book: Spreadsheet, given: Given, where: str) -> None:
    wanted = fields(given, "CellData", where)
    if "range" not in given:
        raise Refused(400, f"{where}range is required")
    area = from_grid_range(book, given["range"], where)
    guard(book, area, where)
    data = given.get("cell", {})
    for row in range(area.top, area.bottom):
        for column in range(area.left, area.right):
            _fill(area.sheet, row, column, data, wanted, where, (row - area.top, column - area.left))


def copy_paste(book: Spreadsheet, given: Given, where: str) -> None:
    """Source over destination; a destination that is a multiple of the source is tiled, a smaller one is outgrown."""
    if "source" not in given or "destination" not in given:
        raise Refused(400, f"{where}source and destination are required")
    source = from_grid_range(book, given["source"], where)
    target = from_grid_range(book, given["destination"], where)
    if given.get("pasteOrientation", "NORMAL") != "NORMAL":
        raise Refused(400, f"{where}this emulator does not transpose")
    kind = given.get("pasteType", "PASTE_NORMAL")
    height, width = source.bottom - source.top, source.right - source.left
    tall, wide = target.bottom - target.top, target.right - target.left
    times = (tall // height if tall % height == 0 else 1, wide // width if wide % width == 0 else 1)
    bottom, right = target.top + height * times[0], target.left + width * times[1]
    sheet = target.sheet
    if bottom > sheet.row_count or right > sheet.column_count:
        raise Refused(
            400,
            f"{where}The data being pasted reaches row {bottom} and column {right}, outside of the sheet's grid of "
            f"{sheet.row_count} rows and {sheet.column_count} columns.",
        )
    guard(book, Area(sheet, target.top, bottom, target.left, right), where)
    # taken before anything is written: the two may overlap
    values = Book(book) if kind == "PASTE_VALUES" else None
    rows = [_source_row(source, row, values) for row in range(source.top, source.bottom)]
    extras = {
        (row - source.top, column - source.left): found
        for (row, column), found in source.sheet.extras.items()
        if source.top <= row < source.bottom and source.left <= column < source.right
    }
    for down in range(times[0]):
        for along in range(times[1]):
            _paste(sheet, target.top + down * height, target.left + along * width, source, rows, extras, kind)


def _source_row(source: Area, row: int, values: Book | None) -> list[Cell]:
    sheet = source.sheet
    found = list(sheet.rows[row][source.left : source.right]) if row < len(sheet.rows) else []
    if values is not None:
        found = [
            values.value(sheet, row, source.left + n) if isinstance(cell, Formula) else cell
            for n, cell in enumerate(found)
        ]
    return found + [None] * (source.right - source.left - len(found))


def _paste(
    sheet: Sheet,
    top: int,
    left: int,
    source: Area,
    rows: list[list[Cell]],
    extras: dict[tuple[int, int], Extras],
    kind: str,
) -> None:
    if kind in ("PASTE_NORMAL", "PASTE_NO_BORDERS", "PASTE_VALUES", "PASTE_FORMULA"):
        move = shift(top - source.top, left - source.left)
        for number, row in enumerate(rows):
            sheet.put(top + number, left, [moved(c, move) if isinstance(c, Formula) else c for c in row])
        sheet.unrich(top, top + len(rows), left, left + source.right - source.left)
    if kind in ("PASTE_VALUES", "PASTE_FORMULA"):
        return
    names = {"PASTE_FORMAT": ("userEnteredFormat",), "PASTE_DATA_VALIDATION": ("dataValidation",)}.get(kind)
    height, width = len(rows), source.right - source.left
    inside = [place for place in sheet.extras if top <= place[0] < top + height and left <= place[1] < left + width]
    for place in {*inside, *((top + row, left + column) for row, column in extras)}:
        new = extras.get((place[0] - top, place[1] - left), {})
        if names is not None:
            old = sheet.extras.get(place, {})
            new = {
                **{name: value for name, value in old.items() if name not in names},
                **{name: value for name, value in new.items() if name in names},
            }
        _set_extras(sheet, *place, new)


def set_data_validation(book: Spreadsheet, given: Given, where: str) -> None:
    area = from_grid_range(book, given.get("range", {}), where)
    for row in range(area.top, area.bottom):
        for column in range(area.left, area.right):
            old = area.sheet.extras.get((row, column), {})
            new = {name: value for name, value in old.items() if name != "dataValidation"}
            if "rule" in given:
                new["dataValidation"] = given["rule"]
            _set_extras(area.sheet, row, column, new)
