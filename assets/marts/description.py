"""The marts as their YAML in ``dbt_project`` describes them: columns, keys, tests.

Here: reading that YAML, cheaply. Not here: dbt, and any second description of a mart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


@dataclass(frozen=True)
class MartColumn:
    """One column of a mart."""

    name: str
    kind: str
    description: str
    is_nullable: bool


@dataclass(frozen=True)
class MartTest:
    """One dbt test of a mart; its name says what is true when it passes."""

    name: str
    description: str


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


@cache
def marts() -> tuple[Mart, ...]:
    """Every mart of the dbt project, by name."""
    return tuple(_read(path) for path in sorted((PROJECT / "models" / "marts").glob("*.yml")))


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
    )


def _column(column: dict[str, Any]) -> MartColumn:
    constraints = column.get("constraints", [])
    is_nullable = not any(constraint["type"] == "not_null" for constraint in constraints)
    return MartColumn(column["name"], column["data_type"], column["description"], is_nullable)


def _test(test: dict[str, dict[str, Any]]) -> MartTest:
    ((_, settings),) = test.items()
    return MartTest(settings["name"], settings["description"])
