"""What is laid over our cells of one tab, beside colours by value and charts.

Here: lines above the heading, how headings and rows are set, frozen rows and columns, notes, links, the warning before
edits. Not here: colours by value (``colouring``), charts (``drawing``), values (``place``).

Formats are set once, and later on only where our range has grown: what people change afterwards stays. Notes and links
say something of our content and are ours; a tab without a look gets nothing of all this.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from conversations.messages.looks import PROTECTED, SWATCH
from resources.sheets.cells import Kind
from resources.sheets.look import MOST_LINKS
from resources.sheets.memory import Memory, digest
from resources.sheets.packing import LEGEND_GAP
from resources.sheets.palette import FAINT, HEADING, INK, STRONG, style
from resources.sheets.place import Place, corners

Request = dict[str, Any]
_STYLE = "1"
"""Part of what is remembered: another way of setting rows is applied once more to tabs that are there."""
_SET = "userEnteredFormat(textFormat,backgroundColorStyle,wrapStrategy,verticalAlignment,horizontalAlignment)"


def decorated(place: Place) -> tuple[list[Request], Memory]:
    """The requests, and what is remembered of the tab then; of colours and charts as before."""
    look = place.look
    is_plain = place.content.tab.look is None
    memory = replace(
        place.memory,
        above=look.above,
        frozen=look.frozen_columns,
        notes=_notes_digest(place),
        style="" if is_plain else digest([_STYLE, sorted(look.wrap), sorted(look.right), *_height_set(place)]),
        links=tuple(place.column(name) - place.left for name in look.links),
        is_protected=look.protected,
    )
    requests: list[Request] = []
    if not is_plain:
        requests += _set(place, is_new=memory.style != place.memory.style)
    requests += [*_frozen(place), *_above(place), *_notes(place, memory), *_links(place), *_protected(place)]
    return requests, memory


def _set(place: Place, is_new: bool) -> Iterator[Request]:
    """Headings and rows: all of them, or those that the range grew by."""
    left = place.left if is_new else place.old_right
    if left < place.right:
        yield from _set_heading(place, left)
        yield from _set_rows(place, place.below, place.bottom, left)
        if place.sheet is not None and place.more_columns:
            yield from place.sized(place.old_right - place.left)
    grown = max(place.old_bottom, place.below)
    if not is_new:
        yield from _set_rows(place, grown, place.bottom, place.left)
    yield from place.lined(place.below if is_new else grown)


def _height_set(place: Place) -> list[int]:
    """Part of what is remembered where rows have a height; tabs without one are remembered as before."""
    return [] if place.look.row_height is None else [place.look.row_height]


def _set_heading(place: Place, left: int) -> Iterator[Request]:
    look = place.look
    for is_text, first, end in _runs(place, left, lambda one: one.kind is Kind.TEXT and one.name not in look.right):
        form = {
            "textFormat": {"bold": True, "foregroundColorStyle": style(INK)},
            "backgroundColorStyle": style(HEADING),
            "wrapStrategy": "WRAP",
            "verticalAlignment": "MIDDLE",
            "horizontalAlignment": "LEFT" if is_text else "CENTER",
        }
        yield _repeat(place.range(place.heading, place.heading + 1, first, end), form, _SET)


def _set_rows(place: Place, top: int, bottom: int, left: int) -> Iterator[Request]:
    """A row with a long text begins at its top in every column."""
    look = place.look
    if top >= bottom:
        return
    for wraps, first, end in _runs(place, left, lambda column: column.name in look.wrap) if look.wrap else ():
        form = {"wrapStrategy": "WRAP" if wraps else "OVERFLOW_CELL", "verticalAlignment": "TOP"}
        yield _repeat(place.range(top, bottom, first, end), form, "userEnteredFormat(wrapStrategy,verticalAlignment)")
    for is_right, first, end in _runs(place, left, lambda column: column.name in look.right) if look.right else ():
        if is_right:
            across = place.range(top, bottom, first, end)
            yield _repeat(across, {"horizontalAlignment": "RIGHT"}, "userEnteredFormat.horizontalAlignment")


def _runs(place: Place, left: int, kind: Any) -> Iterator[tuple[Any, int, int]]:
    at = left
    for value, columns in groupby(place.content.tab.columns[left - place.left :], key=kind):
        end = at + len(list(columns))
        yield value, at, end
        at = end


def _frozen(place: Place) -> Iterator[Request]:
    grid: dict[str, int] = {}
    if place.sheet is not None and place.inserted and place.sheet.frozen_rows == place.heading + 1 - place.inserted:
        # whether inserted rows are frozen with those below them is told nowhere
        grid["frozenRowCount"] = place.heading + 1
    if place.look.frozen_columns != place.memory.frozen:
        count = place.look.frozen_columns
        grid["frozenColumnCount"] = place.left + count if count else 0
    if grid:
        fields = f"gridProperties({','.join(grid)})"
        yield {"updateSheetProperties": {"properties": {"sheetId": place.sheet_id, "gridProperties": grid},
                                         "fields": fields}}  # fmt: skip
    if place.sheet is None and place.look.tab_tone is not None:
        properties = {"sheetId": place.sheet_id, "tabColorStyle": style(STRONG[place.look.tab_tone])}
        yield {"updateSheetProperties": {"properties": properties, "fields": "tabColorStyle"}}


def _above(place: Place) -> Iterator[Request]:
    look = place.look
    if not look.above:
        return
    if place.sheet is None or look.above != place.memory.above:
        # rows that were inserted look like the heading below them
        for number in range(look.above):
            is_title = number == 0 and bool(look.caption)
            text: Request = {"bold": True, "fontSize": 12} if is_title else {}
            form = {
                "textFormat": {**text, "foregroundColorStyle": style(INK if is_title else FAINT)},
                "wrapStrategy": "OVERFLOW_CELL",
                "verticalAlignment": "MIDDLE",
            }
            row = place.top + number
            yield _repeat(place.range(row, row + 1, place.left, place.right), form, "userEnteredFormat")
    if look.legend:
        # a new value loses the colours of its parts, so they are set every time
        row = place.heading - 1
        cell = {"textFormatRuns": _swatches(place)}
        yield _cells(place.range(row, row + 1, place.left, place.left + 1), [[cell]], "textFormatRuns")


def _swatches(place: Place) -> list[Request]:
    runs, at = [], 0
    for entry in place.look.legend:
        colour = {"foregroundColorStyle": style(STRONG[entry.tone]), "fontSize": 12}
        text = {"foregroundColorStyle": style(FAINT)}
        runs.append({"startIndex": at, "format": colour})
        runs.append({"startIndex": at + len(SWATCH), "format": text})
        # the vendor counts as UTF-16 does
        at += len(f"{SWATCH} {entry.text}{LEGEND_GAP}".encode("utf-16-le", "replace")) // 2
    return runs


def _notes_digest(place: Place) -> str:
    notes = [place.look.notes.get(column.name, "") for column in place.content.tab.columns]
    return digest(notes) if any(notes) else ""


def _notes(place: Place, memory: Memory) -> Iterator[Request]:
    if memory.notes == place.memory.notes:
        return
    row = [
        {"note": note} if (note := place.look.notes.get(column.name)) else {} for column in place.content.tab.columns
    ]
    across = place.range(place.heading, place.heading + 1, place.left, max(place.right, place.old_right))
    yield _cells(across, [row], "note")


def _links(place: Place) -> Iterator[Request]:
    """A link lies on the text of a cell. It is taken off wherever one was: values that come later do not take it."""
    columns = {place.column(name) - place.left: urls for name, urls in place.look.links.items()}
    bottom = max(place.bottom, place.old_bottom)
    fields = "textFormatRuns,userEnteredFormat.textFormat.link"
    for offset in sorted({*columns, *place.memory.links}):
        cells: list[list[Request]] = []
        rows = place.content.rows[place.look.above + 1 :]
        for row, url in zip(rows, columns.get(offset, ())[:MOST_LINKS], strict=False):
            linked = bool(url) and row[offset] != ""
            cell = {"textFormatRuns": [{"format": {"link": {"uri": url}}}]} if linked else {}
            place.link_room -= len(json.dumps([cell])) + len('{"values":},')
            cells.append([cell if place.link_room > 0 else {}])
        at = place.left + offset
        if bottom > place.below and at < max(place.right, place.old_right):
            yield _cells(place.range(place.below, bottom, at, at + 1), cells, fields)


def _protected(place: Place) -> Iterator[Request]:
    standing = place.sheet.protected if place.sheet else ()
    ours = next((one for one in standing if one.get("description") == PROTECTED), None)
    whole = place.range(place.top, place.bottom, place.left, place.right)
    if not place.look.protected:
        if ours is not None and place.memory.is_protected:
            yield {"deleteProtectedRange": {"protectedRangeId": ours["protectedRangeId"]}}
    elif ours is None:
        if not place.memory.is_protected:
            new = {"range": whole, "description": PROTECTED, "warningOnly": True}
            yield {"addProtectedRange": {"protectedRange": new}}
    elif place.inserted or corners(ours.get("range", {})) != corners(whole):
        # rows that are inserted move it first, also where it then seems to lie right
        moved = {"protectedRangeId": ours["protectedRangeId"], "range": whole}
        yield {"updateProtectedRange": {"protectedRange": moved, "fields": "range"}}


def _repeat(across: Request, form: Request, fields: str) -> Request:
    return {"repeatCell": {"range": across, "cell": {"userEnteredFormat": form}, "fields": fields}}


def _cells(across: Request, rows: Sequence[Sequence[Request]], fields: str) -> Request:
    """Of a range, the rest of which loses these fields."""
    filled = {"rows": [{"values": list(row)} for row in rows]} if rows else {}
    return {"updateCells": {"range": across, **filled, "fields": fields}}
