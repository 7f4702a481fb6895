"""The table that people mark, as a workbook or as CSV: written for them, and read as untrusted bytes.

Here: files. Not here: what stands in the cells (``conversations.scoring.labelling``). A file holds what customers said:
it is made readable for its owner only. A text never becomes a formula (promise S7).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conversations.imports.survey import NotThisFormat
from conversations.messages import Labels
from conversations.scoring.labelling import is_table, marks_of
from conversations.scoring.shapes import Criterion
from resources.imports.errors import BadImport

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes; a thousand long talks are a third of it."""
_LONGEST_CELL = 1024 * 1024
_RISKY = tuple("=+-@＝＋－＠\t\r\n")
_WIDE, _NARROW = 90, 16
"""Widths of columns, in characters."""


class BadLabelFile(Exception):
    """The file is no table of labels."""


def write(path: Path, rows: Sequence[Sequence[str]], criteria: Sequence[Criterion]) -> None:
    """Write the table; the kind is told by the ending.

    Raises:
        FileExistsError: there is such a file: it may hold somebody's work.
        OSError: it cannot be written.
    """
    content = _workbook(rows, criteria) if path.suffix.lower() == ".xlsx" else _csv(rows)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def read(path: Path) -> list[list[Any]]:
    """The rows of a table that ``write`` made and people have filled in, in Excel or elsewhere.

    Raises:
        BadLabelFile: too large, damaged, or not such a table.
        OSError: it cannot be read.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise BadLabelFile
    try:
        rows = _rows_of_workbook(path) if path.suffix.lower() == ".xlsx" else _rows_of_csv(path)
    except (NotThisFormat, BadImport, UnicodeDecodeError, csv.Error):
        # their texts may quote what stands in the file
        raise BadLabelFile from None
    if not is_table(rows):
        raise BadLabelFile
    return rows


def _workbook(rows: Sequence[Sequence[str]], criteria: Sequence[Criterion]) -> bytes:
    import openpyxl
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = Labels.SHEET
    for number, row in enumerate(rows, 1):
        for place, value in enumerate(row, 1):
            if value:
                _put(sheet.cell(number, place), value).alignment = Alignment(wrap_text=True, vertical="top")
    for place in range(1, len(rows[0]) + 1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDE if place == 2 else _NARROW
    sheet.freeze_panes = "C2"
    guide = book.create_sheet(Labels.GUIDE)
    told = [(one.code, one.title, one.question, marks_of(one)) for one in criteria]
    for number, row in enumerate([Labels.GUIDE_COLUMNS, *told, ("", "", Labels.GUIDE_NOTE, "")], 1):
        for place, value in enumerate(row, 1):
            _put(guide.cell(number, place), value).alignment = Alignment(wrap_text=True, vertical="top")
    for place, width in zip("ABCD", (_NARROW, 30, _WIDE, _NARROW), strict=True):
        guide.column_dimensions[place].width = width
    for each in (sheet, guide):
        for cell in each[1]:
            cell.font = Font(bold=True)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _put(cell: Any, value: str) -> Any:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", value)
    # the library would take "=..." for a formula
    cell.data_type = "s"
    return cell


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    """With a mark of UTF-8 and semicolons: how a Russian Excel opens it by a click."""
    made = io.StringIO()
    writer = csv.writer(made, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([f"'{one}" if one.lstrip(" \"'\u00a0\u3000").startswith(_RISKY) else one for one in row])
    return b"\xef\xbb\xbf" + made.getvalue().encode("utf-8", "replace")


def _rows_of_workbook(path: Path) -> list[list[Any]]:
    from resources.imports.opening import Counted
    from resources.imports.xlsx_rows import xlsx_rows

    with path.open("rb") as file, xlsx_rows(file, Labels.SHEET, "labels", Counted()) as found:
        rows: list[list[Any]] = []
        for number, row in found:
            # rows that hold nothing are left out by the reader, and errors are told by the row's number
            rows += [[] for _ in range(number - len(rows) - 1)]
            rows.append(row)
        return rows


def _rows_of_csv(path: Path) -> list[list[Any]]:
    text = path.read_bytes().decode("utf-8-sig")
    csv.field_size_limit(_LONGEST_CELL)
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    return [list(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)]
