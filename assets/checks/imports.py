"""What is wrong with imported files: those that could not be used, and rows that could not be understood.

Here: two warnings that a person has to look at. They block nothing: the other files of a run are imported by then. Not
here: what must be true of rows (``core``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.failures import explained
from assets.raw.imports import TABLES
from resources.warehouse_resource import WarehouseResource

FILES, ROWS = "every_file_was_imported", "every_row_was_understood"
_DESCRIPTIONS = {
    FILES: "No file of this kind was refused in the last 30 days, unless it was imported since.",
    ROWS: "No row of these files is in quarantine; each reason is counted. The rows are kept in raw.",
}
_STATEMENTS = {
    FILES: """
        select reason, count(*)
        from ops.imports
        where source = %(source)s and state = 'failed' and imported_at > now() - interval '30 days'
        group by 1
        order by 1
    """,
    ROWS: """
        select reason, sum(items)
        from core.quarantine
        where connection_id in (select connection_id from ops.imports where source = %(source)s)
        group by 1
        order by 1
    """,
}


def _checks(source: str) -> dg.AssetChecksDefinition:
    """One op for each kind of file: a run brings files of one kind, and a step of another would be skipped."""
    specs = [
        dg.AssetCheckSpec(name, asset=["raw", table], description=_DESCRIPTIONS[name], blocking=False)
        for table, name in zip(TABLES[source], (FILES, ROWS), strict=True)
    ]

    @dg.multi_asset_check(name=f"{source}_checks", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
        """Counts by reason, over all files of the kind, whoever brought them."""
        with explained(context), warehouse.open().connect("otklik-checks") as connection:
            for key in context.selected_asset_check_keys:
                found = connection.execute(_STATEMENTS[key.name], {"source": source}).fetchall()
                reasons = {reason or "unknown": int(count) for reason, count in found}
                yield dg.AssetCheckResult(
                    asset_key=key.asset_key,
                    check_name=key.name,
                    passed=not reasons,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"reasons": reasons, "count": sum(reasons.values())},
                )

    return checks


IMPORTS_CHECKS = [_checks(source) for source in TABLES]
