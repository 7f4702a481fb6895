"""Values of cells: read as ranges, written as ranges.

Here: ``spreadsheets.values.*`` on one spreadsheet: what reading drops, what ``null`` and ``""`` mean on writing,
limits. Not here: how a typed text becomes a value and a value a text (``sheets_text``).
"""

from __future__ import annotations

from typing import Any

from tests.emulators.sheets_formulas import Book
from tests.emulators.sheets_grid import (
    MAX_TEXT,
    Area,
    Cell,
    Formula,
    Sheet,
    Spreadsheet,
    area,
    beyond,
    corner,
    guard,
    letters,
)
from tests.emulators.sheets_schema import Refused
from tests.emulators.sheets_text import entered, shown

Row = list[Any]


def read(book: Spreadsheet, text: str, options: dict[str, Any]) -> dict[str, Any]:
    """A ``ValueRange``: trailing empty rows and cells are left out, ``values`` too when there is nothing."""
    found = area(book, text)
    render = options.get("valueRenderOption", "FORMATTED_VALUE")
    dates = options.get("dateTimeRenderOption", "SERIAL_NUMBER")
    major = options.get("majorDimension", "ROWS")
    if major == "DIMENSION_UNSPECIFIED":
        raise Refused(400, "Invalid majorDimension: DIMENSION_UNSPECIFIED")
    rows = _rendered(book, found, render, dates)
    if major == "COLUMNS":
        width = max((len(row) for row in rows), default=0)
        rows = [_trimmed([row[n] if n < len(row) else "" for row in rows]) for n in range(width)]
    while rows and not rows[-1]:
        rows.pop()
    result: dict[str, Any] = {"range": found.a1, "majorDimension": major}
    return {**result, "values": rows} if rows else result


def _rendered(book: Spreadsheet, found: Area, render: str, dates: str) -> list[Row]:
    sheet, values = found.sheet, Book(book)
    rows: list[Row] = []
    plain = render != "FORMATTED_VALUE" and not sheet.extras
    for number in range(found.top, min(found.bottom, len(sheet.rows))):
        row: Row = []
        for column, cell in enumerate(sheet.rows[number][found.left : found.right], start=found.left):
            if cell is None:
                row.append("")
            elif type(cell) is str:
                row.append(cell)
            elif plain and type(cell) is float:
                row.append(int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell)
            else:
                row.append(_one(values, sheet, number, column, cell, render, dates))
        rows.append(_trimmed(row))
    return rows


def _one(values: Book, sheet: Sheet, row: int, column: int, cell: Cell, render: str, dates: str) -> Any:
    if render == "FORMULA" and isinstance(cell, Formula):
        return cell.text
    value = values.value(sheet, row, column)
    pattern = sheet.extras.get((row, column), {}).get("userEnteredFormat", {}).get("numberFormat", {})
    timed = pattern.get("type") in ("DATE", "TIME", "DATE_TIME")
    if render == "FORMATTED_VALUE" or (timed and dates == "FORMATTED_STRING"):
        return shown(value, pattern, values.book.locale)
    return int(value) if type(value) is float and value.is_integer() and abs(value) < 1e15 else value


def _trimmed(row: Row) -> Row:
    while row and row[-1] == "":
        row.pop()
    return row


def write(book: Spreadsheet, given: dict[str, Any], option: str | None, where: str = "") -> dict[str, Any]:
    """Write one ``ValueRange``; what an ``UpdateValuesResponse`` tells of it.

    Raises:
        Refused: no option, the range or the values reach outside of the grid or of the range, a cell that is no value,
            more than 50,000 characters.
    """
    if option in (None, "INPUT_VALUE_OPTION_UNSPECIFIED"):
        raise Refused(400, "'valueInputOption' is required but not specified")
    if not given.get("range"):
        raise Refused(400, f"{where}Unable to parse range: ")
    found = area(book, given["range"], write=True)
    rows = _by_rows(given, where)
    sheet = found.sheet
    height, width = len(rows), max((len(row) for row in rows), default=0)
    if found.single:
        if found.top + height > sheet.row_count or found.left + width > sheet.column_count:
            last = corner(found.top + max(height, 1) - 1, found.left + max(width, 1) - 1)
            raise beyond(sheet, f"{found.a1}:{last}")
    elif height > found.bottom - found.top:
        raise Refused(
            400, f"{where}Requested writing within range [{found.a1}], but tried writing to row [{found.bottom + 1}]"
        )
    elif width > found.right - found.left:
        column = letters(found.right)
        raise Refused(
            400, f"{where}Requested writing within range [{found.a1}], but tried writing to column [{column}]"
        )
    bottom, right = found.top + max(height, 1), found.left + max(width, 1)
    written = Area(sheet, found.top, bottom, found.left, right)
    guard(book, written, where)
    cells = _store(book, found, rows, option == "USER_ENTERED", where)
    counts = {"updatedRows": height, "updatedColumns": width, "updatedCells": cells}
    return {
        "spreadsheetId": book.id,
        "updatedRange": written.a1,
        **{name: count for name, count in counts.items() if count},
    }


def _by_rows(given: dict[str, Any], where: str) -> list[Row]:
    values = given.get("values", [])
    if given.get("majorDimension", "ROWS") == "DIMENSION_UNSPECIFIED":
        raise Refused(400, f"{where}majorDimension: DIMENSION_UNSPECIFIED")
    if given.get("majorDimension") != "COLUMNS":
        return values  # type: ignore[no-any-return]
    height = max((len(column) for column in values), default=0)
    return [[column[n] if n < len(column) else None for column in values] for n in range(height)]


def _store(book: Spreadsheet, found: Area, rows: list[Row], typed: bool, where: str) -> int:
    sheet, count = found.sheet, 0
    for row, given in enumerate(rows, start=found.top):
        cells: list[Cell] = []
        for column, value in enumerate(given, start=found.left):
            if value is None:
                # leave the cell as it is
                cells.append(sheet.cell(row, column))
                continue
            count += 1
            if isinstance(value, bool):
                cells.append(value)
            elif isinstance(value, int | float):
                cells.append(float(value))
            elif not isinstance(value, str):
                kind = "list_value" if isinstance(value, list) else "struct_value"
                raise Refused(400, f"{where}Invalid values[{row - found.top}][{column - found.left}]: {kind} {{ }}")
            else:
                check_text(value)
                # a cell of the format "plain text" takes what is typed as it is
                form = sheet.extras.get((row, column), {}).get("userEnteredFormat", {}) if typed else {}
                plain = not typed or form.get("numberFormat", {}).get("type") == "TEXT"
                cell, pattern = (value or None, None) if plain else entered(value, book.locale)
                if pattern is not None:
                    extras = sheet.extras.get((row, column), {})
                    form = {**extras.get("userEnteredFormat", {}), "numberFormat": pattern}
                    sheet.extras[row, column] = {**extras, "userEnteredFormat": form}
                cells.append(cell)
        if cells:
            sheet.put(row, found.left, cells)
    sheet.unrich(found.top, found.top + len(rows), found.left, found.left + max(map(len, rows), default=0))
    return count


def check_text(text: str) -> None:
    """Google counts UTF-16 units.

    Raises:
        Refused: more than a cell holds.
    """
    if len(text) * 2 > MAX_TEXT and len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TEXT:
        raise Refused(400, f"Your input contains more than the maximum of {MAX_TEXT} characters in a single cell.")


def batch_update(book: Spreadsheet, body: dict[str, Any]) -> dict[str, Any]:
    """``values.batchUpdate``: all ranges or none (the caller keeps a copy)."""
    option = body.get("valueInputOption")
    if option in (None, "INPUT_VALUE_OPTION_UNSPECIFIED"):
        raise Refused(400, "'valueInputOption' is required but not specified")
    responses = [
        write(book, one, option, f"Invalid data[{number}]: ") for number, one in enumerate(body.get("data", []))
    ]
    tabs = {area(book, one["range"]).sheet.sheet_id for one in body.get("data", [])}
    totals = {
        f"totalUpdated{name}": sum(one.get(f"updated{name}", 0) for one in responses)
        for name in ("Rows", "Columns", "Cells")
    }
    totals["totalUpdatedSheets"] = len(tabs)
    result = {"spreadsheetId": book.id, **{name: count for name, count in totals.items() if count}}
    if body.get("includeValuesInResponse"):
        for one in responses:
            one["updatedData"] = read(book, one["updatedRange"], _response_options(body))
    return {**result, "responses": responses} if responses else result


def _response_options(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "valueRenderOption": body.get("responseValueRenderOption", "FORMATTED_VALUE"),
        "dateTimeRenderOption": body.get("responseDateTimeRenderOption", "SERIAL_NUMBER"),
    }


def update(book: Spreadsheet, text: str, given: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """``values.update``: the range stands in the path and may be said again in the body."""
    if given.get("range", text) != text and area(book, given["range"]) != area(book, text):
        raise Refused(400, f"Requested writing within range [{text}], but the body names [{given['range']}]")
    result = write(book, {**given, "range": text}, options.get("valueInputOption"))
    if options.get("includeValuesInResponse"):
        result["updatedData"] = read(book, result["updatedRange"], _response_options(options))
    return result


def clear(book: Spreadsheet, text: str) -> str:
    """Values go, formats and notes stay; the cleared range."""
    found = area(book, text)
    sheet = found.sheet
    guard(book, found, "")
    for row in range(found.top, min(found.bottom, len(sheet.rows))):
        width = min(found.right, len(sheet.rows[row])) - found.left
        if width > 0:
            sheet.put(row, found.left, [None] * width)
    return found.a1


def append(book: Spreadsheet, text: str, given: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """``values.append``: below the last row that holds something in the columns of the range; the grid grows."""
    found = area(book, text)
    sheet = found.sheet
    filled = [
        row
        for row in range(found.top, len(sheet.rows))
        if any(cell is not None for cell in sheet.rows[row][found.left : found.right])
    ]
    top = filled[-1] + 1 if filled else found.top
    height = len(_by_rows(given, ""))
    width = max((len(row) for row in _by_rows(given, "")), default=0)
    if options.get("insertDataOption") == "INSERT_ROWS" and top < sheet.row_count:
        sheet.rows[top:top] = [()] * height if top < len(sheet.rows) else []
        sheet.row_count += height
    sheet.row_count = max(sheet.row_count, top + height)
    sheet.column_count = max(sheet.column_count, found.left + width)
    book.check_cells()
    target = Area(sheet, top, top + 1, found.left, found.left + 1).a1
    result: dict[str, Any] = {"spreadsheetId": book.id}
    if filled:
        last = max(len(sheet.rows[row]) for row in filled)
        result["tableRange"] = Area(sheet, filled[0], top, found.left, max(last, found.left + 1)).a1
    result["updates"] = write(book, {**given, "range": target}, options.get("valueInputOption"))
    if options.get("includeValuesInResponse"):
        updates = result["updates"]
        updates["updatedData"] = read(book, updates["updatedRange"], _response_options(options))
    return result
