"""``otklik schema``: the data dictionary, from the one description of each table.

Here: reading that description (SQLAlchemy metadata for raw to ops, the marts' own yml) and printing it. Not here:
the description itself. ``docs/data_dictionary.md`` is this command's markdown; a test holds the two equal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from conversations.messages import Errors
from orchestration.cli import screen
from orchestration.cli.errors import EXIT_USAGE, CliError

FORMATS = ("table", "markdown", "json")
LAYERS = ("raw", "core", "reference", "evaluated", "marts", "ops", "keys")


class ColumnEntry(NamedTuple):
    """One column of the dictionary."""

    name: str
    type: str
    is_key: bool
    is_nullable: bool
    pii: str
    unit: str
    description: str


class TableEntry(NamedTuple):
    """One table or view of the dictionary."""

    name: str
    description: str
    columns: list[ColumnEntry]


def schema(name: str | None, output: str) -> None:
    """Print the dictionary, or the part of it that ``name`` (a table or a schema) names."""
    if output not in FORMATS:
        raise CliError(Errors.UNKNOWN_FORMAT.format(output, ", ".join(FORMATS)), EXIT_USAGE)
    tables = [
        entry for entry in dictionary() if name is None or entry.name == name or entry.name.startswith(f"{name}.")
    ]
    if not tables:
        raise CliError(Errors.UNKNOWN_TABLE.format(name), EXIT_USAGE)
    if output == "json":
        print(json.dumps([_as_object(entry) for entry in tables], ensure_ascii=False, indent=2))
    elif output == "markdown":
        sys.stdout.write(markdown(tables))
    else:
        for entry in tables:
            screen.show(_drawn(entry))


def dictionary() -> list[TableEntry]:
    """All tables, by layer and name."""
    entries = [*_from_metadata(), *_from_marts()]
    return sorted(entries, key=lambda entry: (LAYERS.index(entry.name.split(".")[0]), entry.name))


def markdown(tables: list[TableEntry]) -> str:
    """The dictionary as a document."""
    lines = [
        "# Data dictionary",
        "",
        "Made by `otklik schema --format markdown`; do not edit by hand. PII classes: `none`, `pseudonym` (a random or",
        "vendor's id of a person), `name`, `contact`, `content` (words of a conversation). Times are in UTC.",
    ]
    layer = ""
    for entry in tables:
        if (schema_name := entry.name.split(".")[0]) != layer:
            layer = schema_name
            lines += ["", f"## {layer}"]
        lines += ["", f"### {entry.name}", "", entry.description, ""]
        lines += ["| column | type | key | null | PII | unit | meaning |", "|---|---|---|---|---|---|---|"]
        for column in entry.columns:
            cells = (
                f"`{column.name}`",
                column.type,
                "key" if column.is_key else "",
                "yes" if column.is_nullable else "",
                column.pii,
                column.unit,
                column.description,
            )
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _from_metadata() -> Iterator[TableEntry]:
    from sqlalchemy.dialects import postgresql

    from resources.warehouse.schema import metadata

    dialect = postgresql.dialect()
    for table in metadata.tables.values():
        columns = [
            ColumnEntry(
                name=column.name,
                type=column.type.compile(dialect=dialect).lower(),
                is_key=column.primary_key,
                is_nullable=bool(column.nullable),
                pii=column.info.get("pii", "none"),
                unit=column.info.get("unit", "") or "",
                description=_one_line(column.comment),
            )
            for column in table.columns
        ]
        yield TableEntry(f"{table.schema}.{table.name}", _one_line(table.comment), columns)


def _from_marts() -> Iterator[TableEntry]:
    import yaml

    from resources.settings import PROJECT_ROOT

    by_dbt, by_python = PROJECT_ROOT / "dbt_project" / "models" / "marts", PROJECT_ROOT / "assets" / "marts" / "python"
    for path in sorted([*by_dbt.rglob("*.yml"), *by_python.glob("*.yml")]):
        described = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for model in described.get("models", []):
            columns = [_dbt_column(column) for column in model.get("columns", [])]
            yield TableEntry(f"marts.{model['name']}", _one_line(model.get("description")), columns)


def _dbt_column(column: dict[str, Any]) -> ColumnEntry:
    constraints = {constraint.get("type") for constraint in column.get("constraints", [])}
    tests = {test for test in column.get("data_tests", []) if isinstance(test, str)}
    meta = column.get("meta") or (column.get("config") or {}).get("meta") or {}
    return ColumnEntry(
        name=column["name"],
        type=str(column.get("data_type", "")).lower(),
        is_key="primary_key" in constraints or bool(meta.get("key")),
        is_nullable="not_null" not in constraints | tests and "primary_key" not in constraints,
        pii=meta.get("pii", "none"),
        unit=meta.get("unit", ""),
        description=_one_line(column.get("description")),
    )


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _as_object(entry: TableEntry) -> dict[str, Any]:
    return {**entry._asdict(), "columns": [column._asdict() for column in entry.columns]}


def _drawn(entry: TableEntry) -> Any:
    columns = [("column", "left"), ("type", "left"), ("PII", "left"), ("meaning", "left")]
    rows = [
        (f"{column.name}{' *' if column.is_key else ''}", column.type, column.pii, column.description)
        for column in entry.columns
    ]
    return screen.table(f"{entry.name}: {entry.description}", columns, rows)
