"""A spreadsheet as ``spreadsheets.get`` shows it, and a new one as ``spreadsheets.create`` makes it.

Here: properties and grid data as resources of the API. Not here: ranges of values (``sheets_values``).
"""

from __future__ import annotations

import secrets
from typing import Any

from tests.emulators.sheets_formulas import Book
from tests.emulators.sheets_grid import Area, Formula, Sheet, Spreadsheet, area
from tests.emulators.sheets_schema import Refused
from tests.emulators.sheets_text import shown


def whole(book: Spreadsheet, options: dict[str, Any], base_url: str) -> dict[str, Any]:
    """The ``Spreadsheet`` resource; cells only with ``includeGridData``, of the asked ranges or of everything."""
    asked = [area(book, text) for text in options.get("ranges") or []]
    sheets = []
    for index, sheet in enumerate(book.sheets):
        areas = [one for one in asked if one.sheet is sheet]
        if asked and not areas:
            continue
        entry: dict[str, Any] = {"properties": sheet.properties(index)}
        if options.get("includeGridData"):
            every = Area(sheet, 0, sheet.row_count, 0, sheet.column_count)
            entry["data"] = [_grid_data(book, one) for one in areas or [every]]
        entry.update({name: _public(value) for name, value in sheet.parts.items() if value})
        marks = [one for one in book.metadata.values() if one["location"].get("sheetId") == sheet.sheet_id]
        if marks:
            entry["developerMetadata"] = marks
        sheets.append(entry)
    result: dict[str, Any] = {
        "spreadsheetId": book.id,
        "properties": {
            "title": book.title,
            "locale": book.locale,
            "autoRecalc": "ON_CHANGE",
            "timeZone": book.time_zone,
        },
        "sheets": sheets,
        "spreadsheetUrl": f"{base_url}/_emulator/sheets/{book.id}",
    }
    if book.named:
        result["namedRanges"] = _public(list(book.named.values()))
    marks = [one for one in book.metadata.values() if one["location"].get("spreadsheet")]
    if marks:
        result["developerMetadata"] = marks
    return result


def _public(value: Any) -> Any:
    """As the API gives it back: without our own marks, and without ``sheetId`` in ranges of the tab whose id is 0."""
    if isinstance(value, list):
        return [_public(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _public(one)
        for name, one in value.items()
        if not name.startswith("_") and not (name == "sheetId" and one == 0)
    }


def _grid_data(book: Spreadsheet, found: Area) -> dict[str, Any]:
    sheet, values = found.sheet, Book(book)
    last_row = max([len(sheet.rows), *(row + 1 for row, _ in sheet.extras)])
    rows = []
    for row in range(found.top, min(found.bottom, last_row)):
        last = max(
            [len(sheet.rows[row]) if row < len(sheet.rows) else 0, *(c + 1 for r, c in sheet.extras if r == row)]
        )
        cells = [_cell_data(sheet, values, row, column) for column in range(found.left, min(found.right, last))]
        rows.append({"values": cells} if cells else {})
    result: dict[str, Any] = {"rowData": rows} if rows else {}
    if found.top:
        result["startRow"] = found.top
    if found.left:
        result["startColumn"] = found.left
    result["rowMetadata"] = [{"pixelSize": 21, **sheet.row_meta.get(row, {})} for row in range(found.top, found.bottom)]
    result["columnMetadata"] = [
        {"pixelSize": 100, **sheet.column_meta.get(column, {})} for column in range(found.left, found.right)
    ]
    return result


def _cell_data(sheet: Sheet, values: Book, row: int, column: int) -> dict[str, Any]:
    cell, extras = sheet.cell(row, column), sheet.extras.get((row, column), {})
    result: dict[str, Any] = dict(extras)
    if "userEnteredFormat" in extras:
        result["effectiveFormat"] = extras["userEnteredFormat"]
    if cell is None:
        return result
    value = values.value(sheet, row, column)
    result["userEnteredValue"] = {"formulaValue": cell.text} if isinstance(cell, Formula) else _extended(value)
    result["effectiveValue"] = _extended(value)
    pattern = extras.get("userEnteredFormat", {}).get("numberFormat", {})
    result["formattedValue"] = shown(value, pattern, values.book.locale)
    return result


def _extended(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, float):
        return {"numberValue": int(value) if value.is_integer() and abs(value) < 1e15 else value}
    if isinstance(value, str) and value.startswith("#") and value.endswith(("!", "?", "A")):
        return {"errorValue": {"type": value.strip("#!?").replace("/", "_"), "message": value}}
    return {"stringValue": value}


def create(given: dict[str, Any], email: str) -> Spreadsheet:
    """A new document that belongs to the caller."""
    properties = given.get("properties", {})
    book = Spreadsheet(
        f"1{secrets.token_urlsafe(32)}",
        properties.get("title", "Untitled spreadsheet"),
        properties.get("locale", "en_US"),
        properties.get("timeZone", "Etc/GMT"),
        roles={email: "writer"},
    )
    for number, sheet in enumerate(given.get("sheets") or [{}]):
        wanted = sheet.get("properties", {})
        grid = wanted.get("gridProperties", {})
        title = wanted.get("title", f"Sheet{number + 1}")
        if book.titled(title) is not None:
            raise Refused(400, f'Invalid sheets[{number}]: A sheet with the name "{title}" already exists.')
        book.sheets.append(
            Sheet(wanted.get("sheetId", number), title, grid.get("rowCount", 1000), grid.get("columnCount", 26))
        )
    book.check_cells()
    return book
