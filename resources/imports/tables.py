"""Tables and logs as numbered rows: CSV, JSON lines, a JSON document, XLSX, Parquet, logs; all streamed, all bounded.

Here: which kind it is, CSV and lines, encodings, columns that have to be there. Not here: what columns mean
(``conversations.imports.tables``), JSON documents (``json_rows``), XLSX (``xlsx_rows``), Parquet (``parquet_rows``).

A row that cannot be split into cells is handed on as ``Unreadable`` and stays countable; a file that cannot be read as
a table at all is refused.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from conversations.imports.survey import NotThisFormat, OtherColumns
from conversations.imports.tables.mapping import FileShape, TableMapping
from conversations.imports.tables.units import LINE, TableUnit, Unreadable
from resources.imports.opening import Counted, opened
from resources.imports.text import HEAD, LONGEST_LINE, lines

DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR = re.compile('"?sep=([,;|\t])"?')
"""A line that exporters put above the header for Excel."""
LONGEST_CELL = 1024 * 1024
"""Characters; of CSV. A quote that is never closed ends here."""
LONGEST_ROW = 4 * LONGEST_CELL
DEPTH = 64
"""Levels of a JSON value."""
MOST_COLUMNS = 2_000
_OWN = (None, "utf-8", "utf-16")
"""Encodings that ``text.lines`` finds by itself."""


@contextlib.contextmanager
def table_units(
    path: Path, mapping: TableMapping, connection_id: str, counted: Counted
) -> Iterator[Iterator[TableUnit]]:
    """The rows of a table, from its start.

    Raises:
        BadImport: it cannot be read: archive, encoding, a line without end.
        NotThisFormat: it is no table of the mapped kind, or lacks a mapped column; also later, while it is read.
    """
    with opened(path, connection_id) as file:
        head = file.read(HEAD)
        file.seek(0)
        kind = "log" if mapping.log is not None else mapping.file.kind or _kind_of(head)
        if kind == "xlsx":
            from resources.imports.xlsx_rows import xlsx_rows

            with xlsx_rows(file, mapping.file.sheet, connection_id, counted) as rows:
                below = ((number, row) for number, row in rows if number > mapping.file.skip)
                yield _with_header(below, mapping, is_padded=True)
        elif kind == "parquet":
            from resources.imports.parquet_rows import parquet_rows

            with parquet_rows(file, counted) as rows:
                yield _with_header(rows, mapping, is_named=True)
        elif kind == "json":
            from resources.imports.json_rows import json_rows

            yield json_rows(counted.over(file), mapping.file.items)
        else:
            _refuse_proved(head, mapping.file.encoding)
            found = _lines(counted.over(file), mapping.file, connection_id)
            yield {"log": _log, "jsonl": _json_lines, "csv": _csv}[kind](found, mapping)


def _kind_of(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    text = head.decode("utf-8-sig", "ignore").lstrip()
    if text.startswith("["):
        return "json"
    if text.startswith("{"):
        try:
            json.loads(text.split("\n", 1)[0])
        except (ValueError, RecursionError):
            # an object over several lines, or one that is longer than what was looked at
            return "json" if "\n" in text else "jsonl"
        return "jsonl"
    return "csv"


def _refuse_proved(head: bytes, declared: str | None) -> None:
    """Refuse a declared encoding of one byte a sign where the text proves UTF-8: its signs never form it by chance."""
    if declared in _OWN or head.isascii():
        return
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return
    raise NotThisFormat(f"the text is UTF-8, file.encoding says {declared}")


def _lines(stream: BinaryIO, shape: FileShape, connection_id: str) -> Iterator[str]:
    if shape.encoding is None or shape.encoding in _OWN:
        yield from lines(stream, connection_id)
        return
    wrapped = io.TextIOWrapper(io.BufferedReader(_Raw(stream)), encoding=shape.encoding, errors="strict", newline="\n")
    number = 0
    try:
        while line := wrapped.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise NotThisFormat(f"line {number} has more than {LONGEST_LINE} characters")
            yield line.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise NotThisFormat(f"line {number + 1} is not {shape.encoding}") from None


class _Raw(io.RawIOBase):
    """A stream that has only ``readinto``, as the standard library wants to see it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._stream.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


def _log(found: Iterable[str], mapping: TableMapping) -> Iterator[TableUnit]:
    for number, line in islice(enumerate(found, 1), mapping.file.skip, None):
        yield number, {LINE: line}


def _json_lines(found: Iterable[str], mapping: TableMapping) -> Iterator[TableUnit]:
    for number, line in islice(enumerate(found, 1), mapping.file.skip, None):
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> Mapping[str, Any] | Unreadable:
    if line.count("[") + line.count("{") > DEPTH and _depth(line) > DEPTH:
        return Unreadable("too_deep", line)
    try:
        value = json.loads(line, parse_constant=_refuse_constant)
    except ValueError:
        return Unreadable("bad_json", line)
    return value if isinstance(value, dict) else Unreadable("not_an_object", line)


def _refuse_constant(name: str) -> Any:
    raise ValueError("no JSON")


def _depth(line: str) -> int:
    """How deep brackets are nested outside of texts."""
    depth = deepest = 0
    in_text = escaped = False
    for sign in line:
        if in_text:
            in_text, escaped = escaped or sign != '"', not escaped and sign == "\\"
        elif sign == '"':
            in_text = True
        elif sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _csv(found: Iterator[str], mapping: TableMapping) -> Iterator[TableUnit]:
    shape = mapping.file
    for _ in range(shape.skip):
        next(found, None)
    first, skipped = next(found, None), shape.skip
    said = _SEPARATOR.fullmatch(first or "")
    if said is not None:
        first, skipped = next(found, None), skipped + 1
    if first is None:
        raise NotThisFormat("the table has no rows")
    delimiter = said[1] if said is not None and shape.delimiter is None else _delimiter(first, mapping)
    return _with_header(_csv_rows(chain([first], found), shape, delimiter, skipped), mapping)


def _delimiter(first: str, mapping: TableMapping) -> str:
    """The declared delimiter, else the one that the first line proves.

    Raises:
        NotThisFormat: there is no header to prove it by, or none of the usual ones splits it into the mapped columns.
    """
    shape = mapping.file
    if shape.delimiter is not None:
        return shape.delimiter
    if shape.header is not True:
        return ","
    wanted = {name for _, name in mapping.columns.declared()}
    fitting = {one for one in DELIMITERS if wanted <= {name.strip() for name in _split(first, one, shape.quote)}}
    if len(fitting) == 1:
        return fitting.pop()
    if fitting:
        # one column, and no delimiter in the line
        return min(fitting)
    most = max(DELIMITERS, key=lambda one: len(wanted & {name.strip() for name in _split(first, one, shape.quote)}))
    _refuse_missing([name.strip() for name in _split(first, most, shape.quote)], mapping)
    return most


def _split(line: str, delimiter: str, quote: str) -> list[str]:
    csv.field_size_limit(LONGEST_CELL)
    try:
        return next(csv.reader([line], delimiter=delimiter, quotechar=quote), [])
    except csv.Error:
        return []


def _csv_rows(found: Iterator[str], shape: FileShape, delimiter: str, skipped: int) -> Iterator[tuple[int, Any]]:
    """Rows with the number of their first line; a row whose quotes do not fit goes as its lines."""
    csv.field_size_limit(LONGEST_CELL)
    taken: list[str] = []
    size = 0
    number = skipped

    def feed() -> Iterator[str]:
        nonlocal size, number
        for line in found:
            number += 1
            size += len(line) + 1
            if size > LONGEST_ROW:
                raise NotThisFormat(f"line {number}: a row of more than {LONGEST_ROW} characters; a quote is open")
            taken.append(line)
            yield f"{line}\n"

    rows = csv.reader(feed(), delimiter=delimiter, quotechar=shape.quote, strict=True)
    while True:
        taken.clear()
        size, first = 0, number + 1
        try:
            row: Any = next(rows)
        except StopIteration:
            return
        except csv.Error:
            if any(len(line) > LONGEST_CELL for line in taken) or size > LONGEST_CELL:
                raise NotThisFormat(f"line {first}: a cell of more than {LONGEST_CELL} characters") from None
            row = Unreadable("bad_quotes", "\n".join(taken))
        if row:
            yield first, row


def _with_header(
    rows: Iterator[tuple[int, Any]], mapping: TableMapping, *, is_named: bool = False, is_padded: bool = False
) -> Iterator[TableUnit]:
    """Rows of cells as rows of named cells.

    Raises:
        NotThisFormat: a mapped column is not there or there twice; too many columns.
    """
    shape = mapping.file
    header: Sequence[str] | None = shape.header if isinstance(shape.header, tuple) else None
    needs_line = is_named or shape.header is True
    for position, row in rows:
        if isinstance(row, Unreadable):
            yield position, row
            continue
        if header is None:
            header = (
                [str("" if name is None else name).strip() for name in row]
                if needs_line
                else [str(n + 1) for n in range(len(row))]
            )
            header = _usable(header, mapping)
            if needs_line:
                continue
        if is_padded:
            row = _padded(row, len(header))
        if len(row) != len(header):
            yield position, Unreadable("wrong_cells", [None if one is None else str(one) for one in row])
            continue
        yield position, dict(zip(header, row, strict=True))
    if header is None:
        raise NotThisFormat("the table has no rows")


def _usable(header: list[str], mapping: TableMapping) -> list[str]:
    if len(header) > MOST_COLUMNS:
        raise NotThisFormat(f"more than {MOST_COLUMNS} columns")
    _refuse_missing(header, mapping)
    names: list[str] = []
    known: dict[str, int] = {}
    for name in header:
        known[name] = known.get(name, 0) + 1
        names.append(name if known[name] == 1 else f"{name} ({known[name]})")
    return names


def _padded(row: list[Any], width: int) -> list[Any]:
    """Empty cells at the end of a row of a sheet are in the file or not, as it happens."""
    while len(row) > width and row[-1] is None:
        row.pop()
    return row + [None] * (width - len(row))


def _refuse_missing(header: Sequence[str], mapping: TableMapping) -> None:
    for meaning, path in mapping.columns.declared():
        name = path.removeprefix("/")
        # a path into a cell that holds an object: what is in there shows in the rows
        top = name if name in header else name.split(".")[0]
        is_inside = mapping.file.each is not None and not path.startswith("/")
        if top not in header and not is_inside:
            raise OtherColumns(f"the table has no column {name!r} (columns.{meaning})")
        if list(header).count(top) > 1:
            raise OtherColumns(f"the table has two columns {name!r} (columns.{meaning})")
