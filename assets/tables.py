"""What the UI says about a table, taken from the one description of it in the warehouse's schema.

Here: columns, comments and privacy classes as Dagster metadata and tags. Not here: the descriptions themselves
(``resources.warehouse.schema``; for marts the YAML beside the SQL in ``dbt_project``).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dagster as dg
from sqlalchemy import Table

from resources.warehouse.schema import PII_CLASSES, metadata

OWNERS = ["team:data"]
DAILY_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=28))
"""A day is loaded at 03:10: one missed night is a warning before noon and a failure in the afternoon."""
WEEKLY_FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=8), warn_window=timedelta(days=7, hours=6))
"""A week is published on Monday at 08:10."""


def described(layer: str, name: str, **tags: str) -> dict[str, Any]:
    """Keyword arguments of an asset for a table of ours: key, group, description, owners, kinds, tags, columns."""
    table = metadata.tables[f"{layer}.{name}"]
    return {
        "key": [layer, name],
        "group_name": layer,
        "description": table.comment,
        "owners": OWNERS,
        "kinds": {"python", "postgres"},
        "tags": {"pii": _worst_class(table), **tags},
        "metadata": {"dagster/table_name": f"{layer}.{name}", "dagster/column_schema": _column_schema(table)},
    }


def spec(layer: str, name: str, **more: Any) -> dg.AssetSpec:
    """The asset of a table of ours, for functions that write several tables in one transaction."""
    return dg.AssetSpec(**{**described(layer, name), **more})


def _worst_class(table: Table) -> str:
    return max((column.info["pii"] for column in table.columns), key=PII_CLASSES.index)


def _column_schema(table: Table) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                column.name,
                str(column.type).lower(),
                description=_with_unit(column.comment or "", column.info.get("unit")),
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=False),
                tags={"pii": column.info["pii"]},
            )
            for column in table.columns
        ]
    )


def _with_unit(comment: str, unit: str | None) -> str:
    return f"{comment} [{unit}]" if unit else comment
