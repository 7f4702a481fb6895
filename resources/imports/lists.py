"""A short list in a CSV or XLSX file as rows of cells, with its heading.

Here: reading. Not here: tables of messages, which are streamed (``tables``), what a cell means.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from conversations.imports.survey import NotThisFormat
from resources.imports.errors import BadImport
from resources.imports.opening import Counted, look_at, opened

LARGEST_LIST = 16 * 1024 * 1024
"""Bytes."""


def list_rows(path: Path, where: str) -> list[list[Any]]:
    """The rows of a list, each at its number: an XLSX by its first bytes, else CSV in UTF-8 with ``,`` or ``;`` or TAB.

    Args:
        where: what errors name instead of the file.

    Raises:
        BadImport: no file, too large, damaged, not UTF-8 or no CSV.
    """
    if look_at(path, where).size > LARGEST_LIST:
        raise BadImport(where, "too_large", f"at most {LARGEST_LIST // 1024 // 1024} MiB")
    with opened(path, where) as file:
        if file.read(4) == b"PK\x03\x04":
            file.seek(0)
            from resources.imports.xlsx_rows import xlsx_rows

            try:
                with xlsx_rows(file, None, where, Counted()) as rows:
                    return _at_their_numbers(rows)
            except NotThisFormat as error:
                raise BadImport(where, "not_this_format", str(error)) from None
        file.seek(0)
        return _csv(file.read(), where)


def _at_their_numbers(rows: Any) -> list[list[Any]]:
    """Rows that hold nothing are left out by the library: a cell is named by where it stands."""
    found: list[list[Any]] = []
    for number, row in rows:
        found += [[] for _ in range(number - 1 - len(found))]
        found.append(row)
    return found


def _csv(content: bytes, where: str) -> list[list[Any]]:
    if b"\x00" in content:
        raise BadImport(where, "binary")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadImport(where, "not_utf8") from None
    first = text.partition("\n")[0]
    delimiter = max(";\t,", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        return [list(row) for row in reader]
    except csv.Error:
        raise BadImport(where, "not_this_format", f"line {reader.line_num}") from None
