"""By what talk is judged and who answers the telephone: read every night, kept in versions.

Here: the tables as assets. Not here: reading and keeping (``resources.requirements``), what turns red when something
cannot be used (``assets.checks.requirements``): the run goes on with the last good version.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg
from psycopg import sql

from assets.failures import explained
from assets.tables import DAILY_FRESHNESS, spec
from resources.requirements import Requirements, refresh_requirements
from resources.settings import Settings
from resources.warehouse_resource import PolicyResource, WarehouseResource

REQUIREMENTS = (
    "departments", "offices", "supervisors", "operators", "rubrics", "instructions", "requirement_looks"
)  # fmt: skip


@dg.multi_asset(
    name="reference_requirements",
    specs=[spec("reference", table, freshness_policy=DAILY_FRESHNESS) for table in REQUIREMENTS],
)
def reference_requirements(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
) -> Iterator[dg.MaterializeResult]:
    """Checklists, instructions and operators as the spreadsheet and the files have them; an unchanged one writes
    nothing."""
    with explained(context):
        found = refresh_requirements(warehouse.open(), policy.load(), Settings())
        counts = _rows(warehouse)
    for look in found.looks:
        if look.state != "ok":
            context.log.warning(f"{look.kind} {look.tab}: {look.state} ({look.reason}); the last good version holds")
    for table in REQUIREMENTS:
        metadata = {"dagster/row_count": counts[table], **_told(table, found)}
        yield dg.MaterializeResult(asset_key=["reference", table], metadata=metadata)


def _told(table: str, found: Requirements) -> dict[str, int]:
    if table in ("rubrics", "instructions"):
        kind = {"rubrics": "criteria", "instructions": "instructions"}[table]
        new = [found.kept[look.tab].is_new for look in found.looks if look.kind == kind and look.tab in found.kept]
        return {"read": len(new), "new_versions": sum(new)}
    if table == "operators" and found.operators is not None:
        rows = found.operators
        return {"added": rows.added, "changed": rows.changed, "removed": rows.removed, "left_to_the_file": rows.beside}
    return {"not_usable": sum(look.state != "ok" for look in found.looks)} if table == "requirement_looks" else {}


def _rows(warehouse: WarehouseResource) -> dict[str, int]:
    counting = sql.SQL("select count(*) from {}")
    with warehouse.open().connect("otklik requirements") as connection:
        return {
            table: connection.execute(counting.format(sql.Identifier("reference", table))).fetchall()[0][0]
            for table in REQUIREMENTS
        }
