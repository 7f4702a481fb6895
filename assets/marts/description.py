"""The marts as their YAML describes them: columns, keys, tests.

Here: reading that YAML, cheaply: of the marts that dbt builds in ``dbt_project``, of those that Python builds beside
its code, in the same shape. Not here: dbt, and any second description of a mart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
Period: TypeAlias = Literal["week", "day"]
BY_PYTHON = Path(__file__).resolve().parent / "python"


@dataclass(frozen=True)
class MartColumn:
    """One column of a mart."""

    name: str
    kind: str
    description: str
    is_nullable: bool


@dataclass(frozen=True)
class MartTest:
    """One test of a mart; its name says what is true when it passes."""

    name: str
    description: str
    statement: str | None = None
    """The query of the rows that contradict, where we run the test; dbt's have theirs in its project."""


@dataclass(frozen=True)
class Mart:
    """One mart."""

    name: str
    description: str
    owner: str
    pii: str
    key: tuple[str, ...]
    columns: tuple[MartColumn, ...]
    tests: tuple[MartTest, ...]
    by: str = "dbt"
    """Who builds it: dbt or python."""
    kept: str = "replaced"
    """replaced: a publication takes its weeks' rows out and puts new ones in; appended: rows are only ever added, a
    revision that is published stays as it is."""
    period: Period = "week"
    """What a row is about and what is published at once: an ISO week or a local day."""


@cache
def marts(period: Period | None = None) -> tuple[Mart, ...]:
    """Every mart, or a period's, in the order in which they are swapped: dbt's by name, then Python's by name."""
    folders = (PROJECT / "models" / "marts", BY_PYTHON)
    found = (_read(path) for folder in folders for path in sorted(folder.glob("*.yml")))
    return tuple(mart for mart in found if period in (None, mart.period))


def _read(path: Path) -> Mart:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    (model,) = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["models"]
    meta = model["config"]["meta"]
    return Mart(
        name=model["name"],
        description=model["description"],
        owner=meta["owner"],
        pii=meta["pii"],
        key=tuple(meta["key"]),
        columns=tuple(_column(column) for column in model["columns"]),
        tests=tuple(_test(test) for test in model["data_tests"]),
        by=meta.get("by", "dbt"),
        kept=meta.get("kept", "replaced"),
        # the tag by which dbt selects them
        period="day" if "day" in model["config"].get("tags", []) else "week",
    )


def _column(column: dict[str, Any]) -> MartColumn:
    constraints = column.get("constraints", [])
    is_nullable = not any(constraint["type"] == "not_null" for constraint in constraints)
    return MartColumn(column["name"], column["data_type"], column["description"], is_nullable)


def _test(test: dict[str, dict[str, Any]]) -> MartTest:
    ((_, settings),) = test.items()
    return MartTest(settings["name"], settings["description"], settings.get("statement"))
