"""Reads written tables the whole way in memory, for the tests of tables. Not here: expectations."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from conversations.imports.survey import Choices, Survey, settle
from conversations.imports.tables import TableMapping, TableReader, meaning
from conversations.parsing.imported import ImportedParser
from conversations.source import RawRow
from resources.imports.opening import Counted
from resources.imports.tables import table_units

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "imports"


def mapped(text: str) -> TableMapping:
    return TableMapping.parse(textwrap.dedent(text))


def example(name: str) -> TableMapping:
    return TableMapping.parse((EXAMPLES / name).read_text("utf-8"))


def units(path: Path, mapping: TableMapping) -> list[Any]:
    with table_units(path, mapping, "table", Counted()) as found:
        return list(found)


def read(path: Path, mapping: TableMapping, choices: Choices | None = None) -> tuple[Survey, list[RawRow]]:
    return read_units(units(path, mapping), mapping, choices)


def read_units(found: Any, mapping: TableMapping, choices: Choices | None = None) -> tuple[Survey, list[RawRow]]:
    declared, reader = choices or Choices(), TableReader(mapping)
    survey = reader.survey(found, declared)
    rows = list(reader.rows(found, settle(survey, declared), declared))
    return survey, rows


def problems(rows: list[RawRow]) -> list[str | None]:
    return [row.payload.get("problem") for row in rows]


def parser() -> ImportedParser:
    return ImportedParser("file", "Table", meaning)
