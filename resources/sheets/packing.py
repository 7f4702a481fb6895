"""Filling tabs with as few requests as their bytes need.

Here: rows as JSON, the size of a request, the bodies. Not here: when they are sent (``publish``), values (``cells``).

The vendor recommends at most 2 MB for a request. Rows are packed by the bytes that they take, across tabs; a row that
is larger than a whole request is cut between its cells. Requests have at most 2,000,000 bytes, or 2 MiB (2,097,152
bytes) where that saves one: so there are never more than ``ceil(bytes / 2,000,000)``, however badly rows fit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from conversations.messages.looks import SWATCH
from resources.sheets.cells import Kind, Tab, Written, checked, row_of, text_of

REQUEST_BYTES = 2_000_000
LARGEST_REQUEST = 2 * 1024 * 1024
_FORMAT = "1"
"""Part of the content's hash: another way of writing the same values is another content."""
LEGEND_GAP = "      "
_HEAD = (
    b'{"valueInputOption":"RAW","includeValuesInResponse":true,"responseValueRenderOption":"UNFORMATTED_VALUE","data":['
)
_TAIL = b"]}"


@dataclass(frozen=True)
class Content:
    """A tab ready to be sent: lines above the heading, the heading, every row below it, as cells and as JSON."""

    tab: Tab
    rows: list[list[Written]]
    lines: list[bytes]
    content_hash: str

    @property
    def title(self) -> str:
        return self.tab.title

    @property
    def width(self) -> int:
        return len(self.tab.columns)

    @property
    def height(self) -> int:
        """Rows with the heading and what is above it."""
        return len(self.rows)

    @property
    def count(self) -> int:
        """Rows below the heading."""
        return len(self.tab.rows)


@dataclass
class Piece:
    """A block of one tab inside a request: where it goes, counted from 0, and what it says."""

    number: int
    """Of the tab among those that are filled."""
    row: int
    column: int
    rows: list[list[Written]] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)


@dataclass
class Request:
    """One request: its pieces in order and the bytes of its body."""

    pieces: list[Piece] = field(default_factory=list)
    body: bytes = b""


def prepared(tab: Tab) -> Content:
    """The tab as it is written.

    Raises:
        InvalidTab: see ``cells``.
    """
    checked(tab)
    heading: list[Written] = [column.name for column in tab.columns]
    rows = [*above(tab), heading, *(row_of(tab, number) for number in range(len(tab.rows)))]
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
    # a staging tab is empty: cells that are empty at the end of a row need not be written
    lines = [encode(_ended(row)).encode() for row in rows]
    seen = hashlib.sha256(encode([_FORMAT, *(Kind(column.kind).value for column in tab.columns)]).encode())
    if tab.look is not None:
        seen.update(tab.look.text().encode())
    if tab.name is not None:
        seen.update(f"called {tab.name}".encode())
    for line in lines:
        # JSON has no bare line end: where a row ends is part of what is hashed
        seen.update(b"\n")
        seen.update(line)
    return Content(tab, rows, lines, seen.hexdigest())


def above(tab: Tab) -> list[list[Written]]:
    """The rows above the heading: a line each, and the legend in one."""
    if tab.look is None:
        return []
    lines = [text_of(line) for line in tab.look.caption]
    if tab.look.legend:
        lines.append(text_of(LEGEND_GAP.join(f"{SWATCH} {entry.text}" for entry in tab.look.legend)))
    return [[line, *[""] * (len(tab.columns) - 1)] for line in lines]


def packed(contents: Sequence[Content], titles: Sequence[str], most_bytes: int = REQUEST_BYTES) -> list[Request]:
    """The requests that fill one tab named ``titles[i]`` with ``contents[i]``, each of at most ``most_bytes``.

    A request is larger only when a single cell is, or to save a request as the module says.
    """
    requests = list(_requests(contents, titles, most_bytes))
    if len(requests) > 1 and most_bytes == REQUEST_BYTES:
        roomier = list(_requests(contents, titles, LARGEST_REQUEST))
        requests = roomier if len(roomier) < len(requests) else requests
    for request in requests:
        request.body = _body(request, titles)
    return requests


def a1(title: str, row: int, column: int, height: int, width: int) -> str:
    """A block of cells in A1 notation.

    >>> a1("it's", 0, 26, 3, 2)
    "'it''s'!AA1:AB3"
    """
    quoted = title.replace("'", "''")
    return f"'{quoted}'!{letters(column)}{row + 1}:{letters(column + width - 1)}{row + height}"


def _requests(contents: Sequence[Content], titles: Sequence[str], most_bytes: int) -> Iterator[Request]:
    request, size = Request(), len(_HEAD) + len(_TAIL)
    for number, content in enumerate(contents):
        # the range of a block with its longest row numbers, and the brackets around it
        block = len(json.dumps(titles[number], ensure_ascii=False).encode()) + 80
        room = most_bytes - len(_HEAD) - len(_TAIL) - block
        for row, (cells, line) in enumerate(zip(content.rows, content.lines, strict=True)):
            for column, part_cells, part in _parts(cells, line, room):
                piece = request.pieces[-1] if request.pieces else None
                goes_on = (
                    piece is not None and piece.number == number and piece.column == column == 0
                    and len(part_cells) == len(cells) and len(piece.rows[-1]) == len(cells)
                )  # fmt: skip
                grown = len(part) + 1 + (0 if goes_on else block)
                if request.pieces and size + grown > most_bytes:
                    yield request
                    request, size, goes_on = Request(), len(_HEAD) + len(_TAIL), False
                    grown = len(part) + 1 + block
                if not goes_on:
                    piece = Piece(number, row, column)
                    request.pieces.append(piece)
                assert piece is not None
                piece.rows.append(part_cells)
                piece.lines.append(part)
                size += grown
    if request.pieces:
        yield request


def _parts(cells: list[Written], line: bytes, room: int) -> Iterator[tuple[int, list[Written], bytes]]:
    """The row as a whole, or in runs of cells when it alone is more than a request holds."""
    if len(line) <= room:
        yield 0, cells, line
        return
    start, run, size = 0, [], 2
    for column, cell in enumerate(cells):
        text = json.dumps(cell, ensure_ascii=False).encode()
        if run and size + len(text) + 1 > room:
            yield start, cells[start:column], b"[" + b",".join(run) + b"]"
            start, run, size = column, [], 2
        run.append(text)
        size += len(text) + 1
    yield start, cells[start:], b"[" + b",".join(run) + b"]"


def _body(request: Request, titles: Sequence[str]) -> bytes:
    blocks = []
    for piece in request.pieces:
        place = a1(titles[piece.number], piece.row, piece.column, len(piece.rows), len(piece.rows[0]))
        named = json.dumps(place, ensure_ascii=False).encode()
        blocks.append(b'{"range":' + named + b',"values":[' + b",".join(piece.lines) + b"]}")
        piece.lines.clear()
    return _HEAD + b",".join(blocks) + _TAIL


def _ended(row: list[Written]) -> list[Written]:
    length = len(row)
    while length and row[length - 1] == "":
        length -= 1
    return row[:length]


def letters(column: int) -> str:
    """The name of a column.

    >>> letters(0), letters(26)
    ('A', 'AA')
    """
    found = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        found = chr(ord("A") + digit) + found
    return found
