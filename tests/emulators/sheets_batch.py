"""``spreadsheets.batchUpdate``: requests in order, all of them or none.

Here: the dispatch, tabs and their properties. Not here: cells (``sheets_cells``), rows and columns
(``sheets_dimensions``), colours by value (``sheets_rules``), charts (``sheets_charts``), the rest (``sheets_marks``).
A kind of request that is not emulated is refused by name: it must never look as if it had worked.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.emulators import sheets_cells as cells
from tests.emulators import sheets_charts as charts
from tests.emulators import sheets_dimensions as dimensions
from tests.emulators import sheets_marks as marks
from tests.emulators import sheets_names as names
from tests.emulators import sheets_rules as rules
from tests.emulators.sheets_dimensions import move_all, set_size
from tests.emulators.sheets_grid import MAX_TITLE, Area, Sheet, Spreadsheet, guard
from tests.emulators.sheets_references import still
from tests.emulators.sheets_schema import Mask, Refused

Given = dict[str, Any]
Handler = Callable[[Spreadsheet, Given, str], Given | None]


def batch_update(book: Spreadsheet, body: Given) -> list[Given]:
    """The replies, one per request; ``book`` may be left half changed by a refusal: the caller keeps a copy."""
    requests = body.get("requests", [])
    if not requests:
        raise Refused(400, "Must specify at least one request.")
    replies = []
    for number, request in enumerate(requests):
        if not request:
            raise Refused(400, f"Invalid requests[{number}]: No request set.")
        (kind, given), *_ = request.items()
        handler = HANDLERS.get(kind)
        if handler is None:
            raise Refused(400, f"Invalid requests[{number}].{kind}: this emulator does not know this request")
        replies.append(handler(book, given or {}, f"Invalid requests[{number}].{kind}: ") or {})
    return replies


# ---- tabs ---------------------------------------------------------------------------------------------------------


def _check_title(book: Spreadsheet, title: str, where: str, but: Sheet | None = None) -> None:
    if not title or len(title) > MAX_TITLE:
        raise Refused(400, f"{where}Sheet name must have between 1 and {MAX_TITLE} characters: {title[:120]!r}")
    found = book.titled(title)
    if found is not None and found is not but:
        raise Refused(400, f'{where}A sheet with the name "{title}" already exists. Please enter another name.')


def add_sheet(book: Spreadsheet, given: Given, where: str) -> Given:
    properties = given.get("properties", {})
    title = properties.get("title")
    if title is None:
        count = len(book.sheets)
        while book.titled(f"Лист{count + 1}") is not None:
            count += 1
        title = f"Лист{count + 1}"
    _check_title(book, title, where)
    sheet_id = properties.get("sheetId")
    taken = {sheet.sheet_id for sheet in book.sheets}
    while sheet_id is None or (sheet_id in taken and "sheetId" not in properties):
        sheet_id = random.randrange(1, 2**31)
    if sheet_id in taken:
        raise Refused(400, f"{where}A sheet with the id {sheet_id} already exists.")
    if sheet_id < 0:
        raise Refused(400, f"{where}The sheet id {sheet_id} is negative.")
    if properties.get("sheetType", "GRID") != "GRID":
        raise Refused(400, f"{where}this emulator has grids only")
    # a new tab has its size from the start: the limit is not checked against the columns that it would have had
    sheet = Sheet(sheet_id, title, column_count=properties.get("gridProperties", {}).get("columnCount", 26))
    index = properties.get("index", len(book.sheets))
    _place(book, sheet, index, where)
    given_fields: Mask = {
        name: {} if name != "gridProperties" else {part: {} for part in value}
        for name, value in properties.items()
        if name not in ("sheetId", "title", "index", "sheetType")
    }
    _set_properties(book, sheet, properties, given_fields, where)
    book.check_cells(where)
    return {"addSheet": {"properties": sheet.properties(book.sheets.index(sheet))}}


def _place(book: Spreadsheet, sheet: Sheet, index: int, where: str) -> None:
    if not 0 <= index <= len(book.sheets):
        raise Refused(400, f"{where}index[{index}] is out of the range 0 to {len(book.sheets)}")
    book.sheets.insert(index, sheet)


def delete_sheet(book: Spreadsheet, given: Given, where: str) -> None:
    sheet = book.sheet(given.get("sheetId", 0), where, "sheet")
    rest = [other for other in book.sheets if other is not sheet]
    if not rest:
        raise Refused(400, f"{where}You can't remove all the sheets in a document.")
    if all(other.hidden for other in rest):
        raise Refused(400, f"{where}You can't remove all the visible sheets in a document.")
    guard(book, Area(sheet, 0, sheet.row_count, 0, sheet.column_count), where)
    book.sheets = rest
    book.metadata = {
        number: one for number, one in book.metadata.items() if marks.metadata_sheet(one) != sheet.sheet_id
    }
    names.without_sheet(book, sheet.sheet_id)
    gone = sheet.title.casefold()
    move_all(book, lambda _: still, lambda tab: None if tab.casefold() == gone else tab)


def duplicate_sheet(book: Spreadsheet, given: Given, where: str) -> Given:
    source = book.sheet(given.get("sourceSheetId", 0), where, "sheet")
    title = given.get("newSheetName", f"{source.title} (копия)")
    copied = add_sheet(
        book,
        {
            "properties": {
                "title": title,
                "gridProperties": {"rowCount": source.row_count, "columnCount": source.column_count},
                **({"sheetId": given["newSheetId"]} if "newSheetId" in given else {}),
                "index": given.get("insertSheetIndex", 0),
            }
        },
        where,
    )["addSheet"]["properties"]
    sheet = book.sheet(copied["sheetId"], where)
    fresh = source.copy()
    for name in ("rows", "extras", "row_meta", "column_meta", "parts", "frozen_rows", "frozen_columns", "more"):
        setattr(sheet, name, getattr(fresh, name))
    sheet.parts = charts.copied(sheet.parts, sheet.sheet_id)
    return {"duplicateSheet": {"properties": sheet.properties(book.sheets.index(sheet))}}


def update_sheet_properties(book: Spreadsheet, given: Given, where: str) -> None:
    wanted = cells.fields(given, "SheetProperties", where)
    properties = given.get("properties", {})
    sheet = book.sheet(properties.get("sheetId", 0), where, "sheet")
    if "*" in wanted:
        wanted = {"title": {}, "index": {}, "hidden": {}, "gridProperties": {}}
    if "title" in wanted:
        title = properties.get("title", "")
        _check_title(book, title, where, sheet)
        old = sheet.title.casefold()
        sheet.title = title
        move_all(book, lambda _: still, lambda tab: title if tab.casefold() == old else tab)
    if "index" in wanted:
        old_index, index = book.sheets.index(sheet), properties.get("index", len(book.sheets))
        if not 0 <= index <= len(book.sheets):
            raise Refused(400, f"{where}index[{index}] is out of the range 0 to {len(book.sheets)}")
        # counted before the move
        book.sheets.insert(index, sheet)
        del book.sheets[old_index if index > old_index else old_index + 1]
    _set_properties(book, sheet, properties, wanted, where)


def _set_properties(book: Spreadsheet, sheet: Sheet, properties: Given, wanted: Mask, where: str) -> None:
    """Everything but title and index."""
    if "hidden" in wanted:
        sheet.hidden = properties.get("hidden", False)
        if all(other.hidden for other in book.sheets):
            raise Refused(400, f"{where}You can't hide all the sheets in a document.")
    for name in ("tabColor", "tabColorStyle", "rightToLeft"):
        if name in wanted:
            sheet.more.pop(name, None)
            if name in properties:
                sheet.more[name] = properties[name]
    if "gridProperties" not in wanted:
        return
    grid, inside = properties.get("gridProperties", {}), wanted["gridProperties"]
    names = set(inside) if inside and "*" not in inside else set(grid)
    # rows first: their limit is checked against the old number of columns, as the real API does
    if "rowCount" in names:
        set_size(book, sheet, grid.get("rowCount", 0), None, where)
    if "columnCount" in names:
        set_size(book, sheet, None, grid.get("columnCount", 0), where)
    if "frozenRowCount" in names:
        sheet.frozen_rows = grid.get("frozenRowCount", 0)
    if "frozenColumnCount" in names:
        sheet.frozen_columns = grid.get("frozenColumnCount", 0)
    if not 0 <= sheet.frozen_rows < sheet.row_count:
        raise Refused(400, f"{where}You can't freeze all visible rows on the sheet.")
    if not 0 <= sheet.frozen_columns < sheet.column_count:
        raise Refused(400, f"{where}You can't freeze all visible columns on the sheet.")
    for name in names & {"hideGridlines", "rowGroupControlAfter", "columnGroupControlAfter"}:
        more = dict(sheet.more.get("gridProperties", {}))
        more[name] = grid.get(name, False)
        sheet.more["gridProperties"] = more


HANDLERS: dict[str, Handler] = {
    "addSheet": add_sheet,
    "deleteSheet": delete_sheet,
    "duplicateSheet": duplicate_sheet,
    "updateSheetProperties": update_sheet_properties,
    "updateSpreadsheetProperties": marks.update_spreadsheet_properties,
    "appendDimension": dimensions.append_dimension,
    "insertDimension": dimensions.insert_dimension,
    "deleteDimension": dimensions.delete_dimension,
    "updateDimensionProperties": dimensions.update_dimension_properties,
    "autoResizeDimensions": dimensions.auto_resize_dimensions,
    "createDeveloperMetadata": marks.create_developer_metadata,
    "updateDeveloperMetadata": marks.update_developer_metadata,
    "deleteDeveloperMetadata": marks.delete_developer_metadata,
    "updateCells": cells.update_cells,
    "appendCells": cells.append_cells,
    "repeatCell": cells.repeat_cell,
    "copyPaste": cells.copy_paste,
    "setDataValidation": cells.set_data_validation,
    "setBasicFilter": marks.set_basic_filter,
    "clearBasicFilter": marks.clear_basic_filter,
    "addNamedRange": names.add_named_range,
    "updateNamedRange": names.update_named_range,
    "deleteNamedRange": names.delete_named_range,
    "addProtectedRange": marks.laid_over("protectedRanges", "protectedRange"),
    "addBanding": marks.laid_over("bandedRanges", "bandedRange"),
    "updateProtectedRange": marks.update_protected_range,
    "deleteProtectedRange": marks.delete_protected_range,
    "addConditionalFormatRule": rules.add,
    "updateConditionalFormatRule": rules.update,
    "deleteConditionalFormatRule": rules.delete,
    "addChart": charts.add_chart,
    "updateChartSpec": charts.update_chart_spec,
    "updateEmbeddedObjectPosition": charts.update_position,
    "deleteEmbeddedObject": charts.delete_object,
    "mergeCells": marks.merge_cells,
}
