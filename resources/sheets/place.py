"""Our range in one permanent tab: where it is, where it will be, and the requests that put the new values there.

Here: the grid, our cells, number formats. Not here: colours, charts and the like (``decoration``, ``drawing``), the
change as a whole (``layout``).

Lines above the heading move the heading down. Where a tab has them already, people's rows must not shift against ours:
for more lines whole rows are inserted at the top of our range, fewer lines leave empty rows behind, outside of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from resources.clients.sheets import NamedRange, Sheet
from resources.sheets.cells import Column, Kind
from resources.sheets.look import Look
from resources.sheets.memory import Memory
from resources.sheets.packing import Content

Request = dict[str, Any]

_FORMATS = {
    # people who type into such a cell get a text, never a formula
    Kind.TEXT: ("TEXT", "@"),
    Kind.INTEGER: ("NUMBER", "#,##0"),
    Kind.DECIMAL: ("NUMBER", "#,##0.00"),
    Kind.PERCENT: ("PERCENT", "0.0%"),
    Kind.DATE: ("DATE", "dd.mm.yyyy"),
    Kind.DATETIME: ("DATE_TIME", "dd.mm.yyyy hh:mm"),
}
_WIDTHS = {Kind.TEXT: 160, Kind.DATETIME: 130}
_WIDTH = 100
_PIXELS_A_LETTER = 8
GRID_WIDTH, GRID_HEIGHT = 100, 21
"""Pixels of a column and of a row that nobody sized."""
_PLAIN = Look()


class Place:
    """Our range in one permanent tab, as it is and as it will be; the latter counted after every insertion."""

    def __init__(self, content: Content, sheet_id: int, old: NamedRange | None, sheet: Sheet | None) -> None:
        self.content, self.sheet_id, self.old, self.sheet = content, sheet_id, old, sheet
        self.look = content.tab.look or _PLAIN
        self.memory = Memory.of(sheet) if old is not None else Memory()
        above, had = self.look.above, self.memory.above
        self.inserted = max(above - had, 0) if old is not None else 0
        """Rows that come in at the top of our range."""
        self.top = old.top + max(had - above, 0) if old else 0
        self.left = old.left if old else 0
        self.heading = self.top + above
        self.bottom, self.right = self.top + content.height, self.left + content.width
        self.old_top = old.top if old else 0
        self.old_bottom, self.old_right = self.top, self.right
        if old is not None and sheet is not None:
            self.old_bottom = (sheet.rows if old.bottom is None else min(old.bottom, sheet.rows)) + self.inserted
            self.old_right = sheet.columns if old.right is None else min(old.right, sheet.columns)
        self.more_columns = max(self.right - self.old_right, 0)
        self._rows = sheet.rows + self.inserted if sheet else 0
        self._columns = sheet.columns + self.more_columns if sheet else 0
        self.link_room = 0
        """Bytes that links may still take."""
        self.rows, self.columns = max(self._rows, self.bottom, self.heading + 2), max(self._columns, self.right)

    @property
    def below(self) -> int:
        """The first row of values."""
        return self.heading + 1

    def make_room(self, rows: int, columns: int) -> None:
        """Let the grid reach so far; for what lies over cells that hold nothing."""
        self.rows, self.columns = max(self.rows, rows), max(self.columns, columns)

    @property
    def added_cells(self) -> int:
        return self.rows * self.columns - (self.sheet.rows * self.sheet.columns if self.sheet else 0)

    def column(self, name: str) -> int:
        """Where the column of this heading stands in the tab."""
        return self.left + [column.name for column in self.content.tab.columns].index(name)

    def made(self) -> Iterator[Request]:
        """The tab with a grid that fits."""
        if self.sheet is None:
            yield from self._new_tab()
            return
        if self.inserted:
            span = self._span("ROWS", self.old_top, self.old_top + self.inserted)
            yield {"insertDimension": {"range": span, "inheritFromBefore": False}}
        if self.more_columns and self.old_right < self.sheet.columns:
            span = self._span("COLUMNS", self.old_right, self.right)
            yield {"insertDimension": {"range": span, "inheritFromBefore": True}}
        elif self.more_columns:
            yield self._append("COLUMNS", self.more_columns)
        for dimension, missing in (("COLUMNS", self.columns - self._columns), ("ROWS", self.rows - self._rows)):
            if missing > 0:
                yield self._append(dimension, missing)

    def filled(self, staging_id: int, name: str) -> Iterator[Request]:
        """Number formats first, so that a text lands in cells that hold texts; then the values; then the name."""
        start = self.left
        for kind, columns in groupby(self.content.tab.columns, key=lambda column: column.kind):
            width = len(list(columns))
            if self.bottom > self.below:
                form, pattern = _FORMATS[kind]
                yield {
                    "repeatCell": {
                        "range": self.range(self.below, self.bottom, start, start + width),
                        "cell": {"userEnteredFormat": {"numberFormat": {"type": form, "pattern": pattern}}},
                        "fields": "userEnteredFormat.numberFormat",
                    }
                }
            start += width
        if self.old is not None and self.sheet is not None:
            cleared = self.range(self.old_top, self.old_bottom, self.left, self.old_right)
            yield {"updateCells": {"range": cleared, "fields": "userEnteredValue"}}
        whole = self.range(self.top, self.bottom, self.left, self.right)
        yield {
            "copyPaste": {
                "source": grid_range(staging_id, 0, self.content.height, 0, self.content.width),
                "destination": whole,
                "pasteType": "PASTE_VALUES",
            }
        }
        if self.old is None:
            yield {"addNamedRange": {"namedRange": {"name": name, "range": whole}}}
        else:
            named = {"namedRangeId": self.old.range_id, "name": self.old.name, "range": whole}
            yield {"updateNamedRange": {"namedRange": named, "fields": "range"}}

    def _new_tab(self) -> Iterator[Request]:
        yield {
            "addSheet": {
                "properties": {
                    "sheetId": self.sheet_id,
                    "title": self.content.tab.called,
                    # a sheet whose rows are all frozen is refused, so the grid has one more
                    "gridProperties": {
                        "rowCount": self.rows,
                        "columnCount": self.columns,
                        "frozenRowCount": self.heading + 1,
                    },
                    **({"index": 0} if self.look.first else {}),
                }
            }
        }
        yield {
            "repeatCell": {
                "range": self.range(self.heading, self.heading + 1, 0, self.content.width),
                "cell": {"userEnteredFormat": {"textFormat": {"bold": True}, "wrapStrategy": "WRAP"}},
                "fields": "userEnteredFormat(textFormat.bold,wrapStrategy)",
            }
        }
        yield from self.sized(0)

    def sized(self, first: int) -> Iterator[Request]:
        """The widths of our columns from that one on, counted from our first."""
        for number, pixels in list(enumerate(widths(self.content.tab.columns)))[first:]:
            yield {
                "updateDimensionProperties": {
                    "range": self._span("COLUMNS", self.left + number, self.left + number + 1),
                    "properties": {"pixelSize": pixels},
                    "fields": "pixelSize",
                }
            }

    def lined(self, first: int) -> Iterator[Request]:
        """The height of our rows from that one on, counted from the tab's first, where the look has one."""
        if self.look.row_height is not None and first < self.bottom:
            yield {
                "updateDimensionProperties": {
                    "range": self._span("ROWS", first, self.bottom),
                    "properties": {"pixelSize": self.look.row_height},
                    "fields": "pixelSize",
                }
            }

    def range(self, top: int, bottom: int, left: int, right: int) -> Request:
        return grid_range(self.sheet_id, top, bottom, left, right)

    def _append(self, dimension: str, length: int) -> Request:
        return {"appendDimension": {"sheetId": self.sheet_id, "dimension": dimension, "length": length}}

    def _span(self, dimension: str, start: int, end: int) -> Request:
        return {"sheetId": self.sheet_id, "dimension": dimension, "startIndex": start, "endIndex": end}


def widths(columns: Sequence[Column]) -> list[int]:
    """Of each column in pixels: as told, or by its kind and the longest word of its heading."""
    return [
        column.width
        or max(_WIDTHS.get(column.kind, _WIDTH), _PIXELS_A_LETTER * max(len(word) for word in column.name.split()))
        for column in columns
    ]


def grid_range(sheet_id: int, top: int, bottom: int, left: int, right: int) -> Request:
    return {
        "sheetId": sheet_id, "startRowIndex": top, "endRowIndex": bottom,
        "startColumnIndex": left, "endColumnIndex": right,
    }  # fmt: skip


def corners(found: dict[str, Any]) -> tuple[int, int | None, int, int | None]:
    """Top, bottom, left and right of a range as the API tells it; ``None`` where it is open."""
    return (
        found.get("startRowIndex", 0), found.get("endRowIndex"),
        found.get("startColumnIndex", 0), found.get("endColumnIndex"),
    )  # fmt: skip
