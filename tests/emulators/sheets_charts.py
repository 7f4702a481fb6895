"""Charts over a grid: made, changed, moved, removed, and moved by what happens to rows and columns.

Here: requests about charts and what the vendor takes in them, as far as its documentation says. Not here: how a chart
looks (``sheets_drawing``). Only basic charts are emulated; others are refused by name.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from tests.emulators.sheets_cells import fields
from tests.emulators.sheets_grid import Sheet, Spreadsheet, from_grid_range
from tests.emulators.sheets_schema import Refused, merged

Given = dict[str, Any]
_VALUES_AT = {"BAR": {"BOTTOM_AXIS"}, "COLUMN": {"LEFT_AXIS", "RIGHT_AXIS"}, "LINE": {"LEFT_AXIS", "RIGHT_AXIS"},
              "AREA": {"LEFT_AXIS", "RIGHT_AXIS"}}  # fmt: skip
_LINED = {"LINE", "AREA"}


def add_chart(book: Spreadsheet, given: Given, where: str) -> Given:
    chart = dict(given.get("chart", {}))
    _check_spec(book, chart.get("spec", {}), where)
    overlay = _checked_position(book, chart.get("position", {}), where)
    taken = {one["chartId"] for sheet in book.sheets for one in sheet.parts.get("charts", [])}
    if chart.get("chartId", -1) in taken:
        raise Refused(400, f"{where}An embedded object with the id {chart['chartId']} already exists.")
    chart = {"chartId": random.randrange(1, 2**31), **chart}
    chart["position"] = {
        "overlayPosition": {
            "offsetXPixels": 0, "offsetYPixels": 0, "widthPixels": 600, "heightPixels": 371, **overlay
        }
    }  # fmt: skip
    sheet = book.sheet(overlay["anchorCell"].get("sheetId", 0), where)
    sheet.parts["charts"] = [*sheet.parts.get("charts", []), chart]
    return {"addChart": {"chart": chart}}


def update_chart_spec(book: Spreadsheet, given: Given, where: str) -> None:
    _check_spec(book, given.get("spec", {}), where)
    _changed(book, given.get("chartId", 0), lambda chart: {**chart, "spec": given["spec"]}, where)


def update_position(book: Spreadsheet, given: Given, where: str) -> Given:
    new = given.get("newPosition", {})
    if "overlayPosition" not in new:
        raise Refused(400, f"{where}this emulator keeps charts over grids")
    wanted = fields(given, "OverlayPosition", where)
    sheet, chart = _found(book, given.get("objectId", 0), where)
    overlay = merged(chart["position"]["overlayPosition"], new["overlayPosition"], wanted)
    _checked_position(book, {"overlayPosition": overlay}, where)
    moved = {**chart, "position": {"overlayPosition": overlay}}
    sheet.parts["charts"] = [one for one in sheet.parts["charts"] if one is not chart]
    target = book.sheet(overlay["anchorCell"].get("sheetId", 0), where)
    target.parts["charts"] = [*target.parts.get("charts", []), moved]
    return {"updateEmbeddedObjectPosition": {"position": moved["position"]}}


def delete_object(book: Spreadsheet, given: Given, where: str) -> None:
    sheet, chart = _found(book, given.get("objectId", 0), where)
    sheet.parts["charts"] = [one for one in sheet.parts["charts"] if one is not chart]


def _found(book: Spreadsheet, number: int, where: str) -> tuple[Sheet, Given]:
    for sheet in book.sheets:
        for chart in sheet.parts.get("charts", []):
            if chart["chartId"] == number:
                return sheet, chart
    raise Refused(400, f"{where}No embedded object with id: {number}")


def _changed(book: Spreadsheet, number: int, change: Callable[[Given], Given], where: str) -> None:
    sheet, chart = _found(book, number, where)
    sheet.parts["charts"] = [change(one) if one is chart else one for one in sheet.parts["charts"]]


def _checked_position(book: Spreadsheet, position: Given, where: str) -> Given:
    overlay = position.get("overlayPosition")
    if overlay is None:
        raise Refused(400, f"{where}this emulator keeps charts over grids: overlayPosition is required")
    cell = overlay.get("anchorCell", {})
    sheet = book.sheet(cell.get("sheetId", 0), where)
    row, column = cell.get("rowIndex", 0), cell.get("columnIndex", 0)
    if not (0 <= row < sheet.row_count and 0 <= column < sheet.column_count):
        raise Refused(
            400,
            f"{where}GridCoordinate.rowIndex[{row}] or columnIndex[{column}] is after last row or column in "
            f"grid[{sheet.row_count}][{sheet.column_count}]",
        )
    if min(overlay.get("offsetXPixels", 0), overlay.get("offsetYPixels", 0)) < 0:
        raise Refused(400, f"{where}offsets must not be negative")
    if min(overlay.get("widthPixels", 600), overlay.get("heightPixels", 371)) <= 0:
        raise Refused(400, f"{where}widthPixels and heightPixels must be positive")
    return dict(overlay)


def _check_spec(book: Spreadsheet, spec: Given, where: str) -> None:
    kinds = [name for name in spec if name.endswith("Chart")]
    if len(kinds) != 1:
        raise Refused(400, f"{where}chartSpec must have exactly one chart")
    if kinds != ["basicChart"]:
        raise Refused(400, f"{where}this emulator draws basicChart only, not {kinds[0]}")
    basic = spec["basicChart"]
    kind = basic.get("chartType", "BASIC_CHART_TYPE_UNSPECIFIED")
    if kind not in _VALUES_AT:
        raise Refused(400, f"{where}this emulator does not draw chartType {kind}")
    places = [axis.get("position") for axis in basic.get("axis", [])]
    if len(set(places)) < len(places) or None in places:
        raise Refused(400, f"{where}A chart may not have more than one axis per axis position.")
    domains, series = basic.get("domains", []), basic.get("series", [])
    if len(domains) > 1:
        raise Refused(400, f"{where}Only a single domain is supported.")
    if not series:
        raise Refused(400, f"{where}At least one series is required.")
    counts = set()
    for holder, name in [*((one, "domain") for one in domains), *((one, "series") for one in series)]:
        sources = holder.get(name, {}).get("sourceRange", {}).get("sources", [])
        counts.add(len(sources))
        for source in sources:
            area = from_grid_range(book, source, where)
            if 1 not in (area.bottom - area.top, area.right - area.left):
                raise Refused(400, f"{where}Exactly one dimension of a source range must have a length of 1.")
    if len(counts) != 1 or 0 in counts:
        raise Refused(400, f"{where}The domain and all series must have the same number of source ranges.")
    for one in series:
        if one.get("targetAxis", next(iter(_VALUES_AT[kind]))) not in _VALUES_AT[kind]:
            raise Refused(400, f"{where}{one['targetAxis']} is not a valid minor axis for a chart of type {kind}.")
        if kind not in _LINED and ("lineStyle" in one or "pointStyle" in one):
            raise Refused(400, f"{where}lineStyle and pointStyle are valid only for charts with lines.")
    if basic.get("headerCount", 0) < 0:
        raise Refused(400, f"{where}headerCount must not be negative")


def shifted_charts(
    book: Spreadsheet, sheet_id: int, is_rows: bool, new: Callable[[Given], Given | None], edge: Callable[[int], int]
) -> None:
    """Rows or columns of a tab came or went: charts over it move, and those over its rows follow, wherever they are."""
    name = "rowIndex" if is_rows else "columnIndex"
    for sheet in book.sheets:
        kept = []
        for chart in sheet.parts.get("charts", []):
            overlay = chart["position"]["overlayPosition"]
            if sheet.sheet_id == sheet_id:
                cell = {**overlay["anchorCell"], name: edge(overlay["anchorCell"].get(name, 0))}
                overlay = {**overlay, "anchorCell": cell}
            spec = _with_sources(chart["spec"], sheet_id, new)
            kept.append({**chart, "spec": spec, "position": {"overlayPosition": overlay}})
        if kept:
            sheet.parts["charts"] = kept


def _with_sources(spec: Given, sheet_id: int, new: Callable[[Given], Given | None]) -> Given:
    basic = dict(spec["basicChart"])
    for many, name in (("domains", "domain"), ("series", "series")):
        holders = []
        for holder in basic.get(many, []):
            sources = [
                place
                for one in holder[name]["sourceRange"]["sources"]
                if (place := new(one) if one.get("sheetId", 0) == sheet_id else one) is not None
            ]
            holders.append({**holder, name: {**holder[name], "sourceRange": {"sources": sources}}})
        if holders:
            basic[many] = holders
    return {**spec, "basicChart": basic}


def copied(parts: dict[str, Any], sheet_id: int) -> dict[str, Any]:
    """What is laid over a tab, for its copy: the same ranges over there, with ids of their own."""

    def there(value: Any) -> Any:
        if isinstance(value, list):
            return [there(one) for one in value]
        if not isinstance(value, dict):
            return value
        found = {name: there(one) for name, one in value.items()}
        is_place = any(name.endswith("Index") for name in found) and "index" not in found
        if is_place:
            found["sheetId"] = sheet_id
        for name in ("chartId", "protectedRangeId", "bandedRangeId"):
            if name in found:
                found[name] = random.randrange(1, 2**31)
        return found

    result: dict[str, Any] = there(parts)
    return result
