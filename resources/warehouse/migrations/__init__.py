"""Migrations of the warehouse: one revision per change of ``resources.warehouse.schema``.

Here: what Alembic is told. Not here: rights and views (``resources.warehouse.rights``, ``views``), which are brought up
to date after every migration, since they name what exists instead of how it came about.
"""

from __future__ import annotations

from typing import Any

VERSION_SCHEMA = "ops"
VERSION_TABLE = "alembic_version"


def configuration() -> dict[str, Any]:
    """What migrating and comparing share."""
    from resources.warehouse.schema import SCHEMAS, metadata

    described = {table.key for table in metadata.tables.values()}

    def is_ours(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name in SCHEMAS and name != "marts"
        if kind == "table":
            return parents["schema_qualified_table_name"] in described
        return True

    return {
        "target_metadata": metadata,
        "include_schemas": True,
        "include_name": is_ours,
        "version_table": VERSION_TABLE,
        "version_table_schema": VERSION_SCHEMA,
        "compare_type": True,
        "transaction_per_migration": False,
    }
