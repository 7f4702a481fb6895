"""Where our cells lie in somebody's spreadsheet, and the one change that puts new ones there.

Here: staging tabs, our range of a permanent tab, the requests that swap. Not here: when they are sent (``publish``).

What is ours in a permanent tab is a named range (``otklik_<tab>``): it moves when people insert rows or columns before
it, it survives a renamed tab, and it tells how far our last content reached. Everything outside of it is theirs:

- more columns than before are made by inserting columns, so that what stands to the right moves aside whole;
- fewer columns than before leave empty columns behind: nothing of theirs moves, no formula loses its cell;
- rows are only ever added at the end of the grid; what is left of a longer old range is cleared;
- values are replaced, colours and conditional formats stay; the number formats of our columns are set anew;
- a tab with our title that does not hold our range is not ours, and nothing is written into it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from resources.clients.errors import Refused
from resources.clients.sheets import Book, NamedRange, Sheet
from resources.sheets.cells import MOST_CELLS, Kind
from resources.sheets.packing import Content

Request = dict[str, Any]

_STAGING = re.compile(r"_otklik_staging_[0-9a-f]{12}_\d+")
_NAME = re.compile(r"[A-Za-z0-9_]{1,60}")
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


@dataclass(frozen=True)
class Staging:
    """The hidden tabs of one publication, by the number of the content; ids that only it uses."""

    run: str
    """Twelve hexadecimal digits."""

    def title(self, number: int) -> str:
        return f"_otklik_staging_{self.run}_{number}"

    def sheet_id(self, number: int) -> int:
        return _id(f"{self.run} staging {number}")

    def permanent_id(self, number: int) -> int:
        """For a permanent tab that this publication makes."""
        return _id(f"{self.run} permanent {number}")

    def is_whole(self, book: Book, count: int) -> bool:
        """Whether all our staging tabs are there."""
        return {self.sheet_id(number) for number in range(count)} <= {sheet.sheet_id for sheet in book.sheets}


def leftovers(book: Book, but: Staging | None = None, count: int = 0) -> list[Sheet]:
    """Staging tabs of publications that did not end."""
    ours = {but.sheet_id(number) for number in range(count)} if but else set()
    return [sheet for sheet in book.sheets if _STAGING.fullmatch(sheet.title) and sheet.sheet_id not in ours]


def removal(sheets: Sequence[Sheet]) -> list[Request]:
    return [{"deleteSheet": {"sheetId": sheet.sheet_id}} for sheet in sheets]


def staged(contents: Sequence[Content], staging: Staging) -> list[Request]:
    """The requests that make the hidden tabs, with a grid that fits."""
    return [
        {
            "addSheet": {
                "properties": {
                    "sheetId": staging.sheet_id(number),
                    "title": staging.title(number),
                    "hidden": True,
                    "gridProperties": {"rowCount": content.height, "columnCount": content.width},
                }
            }
        }
        for number, content in enumerate(contents)
    ]


def swap(connection_id: str, book: Book, contents: Sequence[Content], staging: Staging) -> list[Request]:
    """The requests of the one change that shows every content in its permanent tab and removes the staging tabs.

    Raises:
        Refused: a tab of this title is not ours, or the spreadsheet would hold too many cells while both are there.
    """
    requests: list[Request] = []
    grown = 0
    for number, content in enumerate(contents):
        old, sheet = _ours(connection_id, book, content.title)
        place = _Place(content, staging.permanent_id(number) if sheet is None else sheet.sheet_id, old, sheet)
        grown += place.added_cells
        requests += place.made()
        requests += place.filled(staging.sheet_id(number))
    cells = sum(sheet.rows * sheet.columns for sheet in book.sheets) + grown
    if cells > MOST_CELLS:
        raise Refused(
            connection_id,
            f"the spreadsheet would hold {cells:,} cells for a moment, and {MOST_CELLS:,} is the most",
            "Show fewer weeks, or give the exports a spreadsheet of their own",
        )
    hidden = [sheet for sheet in book.sheets if _STAGING.fullmatch(sheet.title)]
    return requests + removal(hidden)


def shown_at(book: Book, title: str) -> tuple[Sheet, NamedRange] | None:
    """The permanent tab and our range in it, if they are there."""
    named = next((one for one in book.ranges if one.name == range_name(title)), None)
    sheet = next((one for one in book.sheets if named is not None and one.sheet_id == named.sheet_id), None)
    return (sheet, named) if sheet is not None and named is not None else None


def range_name(title: str) -> str:
    """The name of our range in the tab of this title.

    >>> range_name("chats_raw")
    'otklik_chats_raw'
    """
    # what else a name may hold is the vendor's secret
    plain = title if _NAME.fullmatch(title) else hashlib.sha256(title.encode()).hexdigest()[:12]
    return f"otklik_{plain}"


class _Place:
    """Our range in one permanent tab, as it is and as it will be."""

    def __init__(self, content: Content, sheet_id: int, old: NamedRange | None, sheet: Sheet | None) -> None:
        self.content, self.sheet_id, self.old, self.sheet = content, sheet_id, old, sheet
        self.top = old.top if old else 0
        self.left = old.left if old else 0
        self.bottom, self.right = self.top + content.height, self.left + content.width
        self.old_right = self.right
        if old is not None and sheet is not None:
            self.old_right = sheet.columns if old.right is None else min(old.right, sheet.columns)
        self.more_columns = max(self.right - self.old_right, 0)
        self.more_rows = max(self.bottom - sheet.rows, 0) if sheet else 0

    @property
    def added_cells(self) -> int:
        if self.sheet is None:
            return self.content.cells
        rows, columns = self.sheet.rows + self.more_rows, self.sheet.columns + self.more_columns
        return rows * columns - self.sheet.rows * self.sheet.columns

    def made(self) -> Iterator[Request]:
        """The tab with a grid that fits."""
        if self.sheet is None:
            yield from self._new_tab()
            return
        if self.more_columns:
            if self.old_right < self.sheet.columns:
                span = self._span("COLUMNS", self.old_right, self.right)
                yield {"insertDimension": {"range": span, "inheritFromBefore": True}}
            else:
                yield self._append("COLUMNS", self.more_columns)
        if self.more_rows:
            yield self._append("ROWS", self.more_rows)

    def filled(self, staging_id: int) -> Iterator[Request]:
        """Number formats first, so that a text lands in cells that hold texts; then the values; then the name."""
        start = self.left
        for kind, columns in groupby(self.content.tab.columns, key=lambda column: column.kind):
            width = len(list(columns))
            if self.content.height > 1:
                name, pattern = _FORMATS[kind]
                yield {
                    "repeatCell": {
                        "range": self._range(self.top + 1, self.bottom, start, start + width),
                        "cell": {"userEnteredFormat": {"numberFormat": {"type": name, "pattern": pattern}}},
                        "fields": "userEnteredFormat.numberFormat",
                    }
                }
            start += width
        if self.old is not None and self.sheet is not None:
            bottom = self.sheet.rows if self.old.bottom is None else min(self.old.bottom, self.sheet.rows)
            cleared = self._range(self.top, bottom, self.left, self.old_right)
            yield {"updateCells": {"range": cleared, "fields": "userEnteredValue"}}
        whole = self._range(self.top, self.bottom, self.left, self.right)
        yield {
            "copyPaste": {
                "source": _range(staging_id, 0, self.content.height, 0, self.content.width),
                "destination": whole,
                "pasteType": "PASTE_VALUES",
            }
        }
        if self.old is None:
            yield {"addNamedRange": {"namedRange": {"name": range_name(self.content.title), "range": whole}}}
        else:
            named = {"namedRangeId": self.old.range_id, "name": self.old.name, "range": whole}
            yield {"updateNamedRange": {"namedRange": named, "fields": "range"}}

    def _new_tab(self) -> Iterator[Request]:
        yield {
            "addSheet": {
                "properties": {
                    "sheetId": self.sheet_id,
                    "title": self.content.title,
                    "gridProperties": {
                        # a sheet whose rows are all frozen is refused
                        "rowCount": max(self.content.height, 2),
                        "columnCount": self.content.width,
                        "frozenRowCount": 1,
                    },
                }
            }
        }
        yield {
            "repeatCell": {
                "range": self._range(0, 1, 0, self.content.width),
                "cell": {"userEnteredFormat": {"textFormat": {"bold": True}, "wrapStrategy": "WRAP"}},
                "fields": "userEnteredFormat(textFormat.bold,wrapStrategy)",
            }
        }
        for number, column in enumerate(self.content.tab.columns):
            by_heading = _PIXELS_A_LETTER * max(len(word) for word in column.name.split())
            yield {
                "updateDimensionProperties": {
                    "range": self._span("COLUMNS", number, number + 1),
                    "properties": {"pixelSize": column.width or max(_WIDTHS.get(column.kind, _WIDTH), by_heading)},
                    "fields": "pixelSize",
                }
            }

    def _append(self, dimension: str, length: int) -> Request:
        return {"appendDimension": {"sheetId": self.sheet_id, "dimension": dimension, "length": length}}

    def _span(self, dimension: str, start: int, end: int) -> Request:
        return {"sheetId": self.sheet_id, "dimension": dimension, "startIndex": start, "endIndex": end}

    def _range(self, top: int, bottom: int, left: int, right: int) -> Request:
        return _range(self.sheet_id, top, bottom, left, right)


def _ours(connection_id: str, book: Book, title: str) -> tuple[NamedRange | None, Sheet | None]:
    place = shown_at(book, title)
    if place is not None:
        return place[1], place[0]
    if any(sheet.title.casefold() == title.casefold() for sheet in book.sheets):
        raise Refused(
            connection_id,
            f"the spreadsheet has a tab {title} that is not ours",
            "Rename that tab: the next publication makes its own, and nothing of yours is written over",
        )
    return None, None


def _range(sheet_id: int, top: int, bottom: int, left: int, right: int) -> Request:
    return {
        "sheetId": sheet_id, "startRowIndex": top, "endRowIndex": bottom,
        "startColumnIndex": left, "endColumnIndex": right,
    }  # fmt: skip


def _id(seed: str) -> int:
    # 31 bits, never 0: the first tab of a new spreadsheet has that id
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) % (2**31 - 2) + 1
