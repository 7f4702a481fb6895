"""The rows of a sheet of an XLSX workbook, looked at before a library unpacks it. Not here: what a column means.

openpyxl reads row by row, but holds one row, all shared texts and all styles in memory, so their sizes are checked in
the bytes beforehand; a document type, which could unfold into gigabytes, no workbook has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from conversations.imports.survey import NotThisFormat
from resources.imports.archives import MEBIBYTE, Archive, Limits, open_archive
from resources.imports.opening import Counted

LIMITS = Limits(entries=2_000, total_bytes=512 * MEBIBYTE, harmless_bytes=4 * MEBIBYTE)
TEXTS_BYTES = 24 * MEBIBYTE
MOST_TEXTS = 500_000
ROW_BYTES = MEBIBYTE
"""Of one row, or of one shared text, in XML."""
PART_BYTES, PART_TAGS = 4 * MEBIBYTE, 200_000
"""Of all other parts that are read."""
LAST_ROW, LAST_COLUMN = 1_048_576, 512
_BLOCK = 256 * 1024
_LARGEST_TAG = len("<!DOCTYPE")


@contextlib.contextmanager
def xlsx_rows(
    file: BinaryIO, sheet: str | None, connection_id: str, counted: Counted
) -> Iterator[Iterator[tuple[int, Any]]]:
    """The rows of the named sheet, or of the only one that has rows, by their numbers; empty ones hold nothing.

    Raises:
        BadImport: a damaged or hostile archive.
        NotThisFormat: no workbook, no such sheet, or beyond what a table of messages can be.
    """
    import openpyxl

    with open_archive(file, connection_id, LIMITS) as archive:
        _look(archive)
    file.seek(0)
    with contextlib.ExitStack() as stack:
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            stack.callback(book.close)
            chosen = _chosen(book, sheet)
        except NotThisFormat:
            raise
        except Exception:
            # openpyxl raises whatever its XML happens to lead to; its text may quote cells
            raise NotThisFormat("it is no workbook, or damaged") from None
        yield _rows(chosen, counted)


def _chosen(book: Any, sheet: str | None) -> Any:
    if sheet is not None:
        if sheet not in book.sheetnames:
            raise NotThisFormat("the workbook has no sheet of the name in file.sheet")
        return book[sheet]
    # read-only: the first row shows whether there are any
    filled = [one for one in book.worksheets if next(_cells(one), None) is not None]
    if len(filled) != 1:
        raise NotThisFormat(f"{len(filled)} sheets have rows: name one in file.sheet")
    return filled[0]


def _cells(sheet: Any) -> Iterator[tuple[int, list[Any]]]:
    sheet.reset_dimensions()
    for number, found in enumerate(sheet.iter_rows(max_row=LAST_ROW, max_col=LAST_COLUMN + 1, values_only=True), 1):
        row = list(found)
        while row and row[-1] in (None, ""):
            row.pop()
        if len(row) > LAST_COLUMN:
            raise NotThisFormat(f"more than {LAST_COLUMN} columns")
        if row:
            yield number, row


def _rows(sheet: Any, counted: Counted) -> Iterator[tuple[int, Any]]:
    rows = _cells(sheet)
    while True:
        try:
            number, row = next(rows)
        except StopIteration:
            return
        except NotThisFormat:
            raise
        except Exception:
            raise NotThisFormat("it breaks off, or is damaged") from None
        counted.position += sum(len(one) for one in row if isinstance(one, str)) + len(row)
        yield number, row


def _look(archive: Archive) -> None:
    for name, size in archive.members.items():
        lower = name.lower()
        if not lower.endswith((".xml", ".rels")):
            continue
        is_sheet, is_texts = lower.startswith("xl/worksheets/") and lower.endswith(".xml"), "sharedstrings" in lower
        if is_texts and size > TEXTS_BYTES:
            raise NotThisFormat(f"its texts take more than {TEXTS_BYTES // MEBIBYTE} MiB: split the table")
        if not is_sheet and not is_texts and size > PART_BYTES:
            if lower.startswith(("xl/workbook", "xl/styles", "xl/theme", "docprops", "_rels", "xl/_rels", "[content")):
                raise NotThisFormat("its styles or properties are too large")
            continue
        with archive.open(name) as stream:
            tags = _gaps(stream, b"</row>" if is_sheet else b"</si>" if is_texts else None)
        if (is_texts and tags > 8 * MOST_TEXTS) or (not is_sheet and not is_texts and tags > PART_TAGS):
            raise NotThisFormat("its texts or styles are too many: split the table")


def _gaps(stream: BinaryIO, end: bytes | None) -> int:
    """How many tags the part has; refuses one whose pieces between two ``end`` are too large to be held."""
    tags, gap, tail = 0, 0, b""
    is_over = end is None
    while block := stream.read(_BLOCK):
        if b"\x00" in block:
            raise NotThisFormat("its XML is not UTF-8")
        text = tail + block
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise NotThisFormat("its XML has a document type")
        tags += block.count(b"<")
        if not is_over and end is not None:
            first, last = text.find(end), text.rfind(end)
            is_over = b"</sheetData>" in text
            if max(gap + (len(block) if first < 0 else first), 0) > ROW_BYTES and not is_over:
                raise NotThisFormat("a row or a text of it is too large")
            gap = gap + len(block) if last < 0 else len(text) - last
        tail = text[-_LARGEST_TAG - 2 :]
    return tags
