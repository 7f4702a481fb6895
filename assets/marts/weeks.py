"""The marts of managers, channels, data status and what was published of them as assets, one partition per ISO week.

Here: build aside, look at the tests, swap or refuse. Not here: SQL, the marts that Python builds
(``assets.marts.python``), the swap itself.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from assets.checks.judge import named
from assets.exports.stale import said_stale
from assets.failures import explained
from assets.marts import dbt
from assets.marts.dbt import Built
from assets.marts.description import marts
from assets.marts.numbers import numbers
from assets.marts.publish import mark_stale, publishing, swap
from assets.marts.python import build as python
from assets.marts.shared import check_result, check_specs, span, spec, told, unsound
from assets.marts.shared import variables as told_dbt
from assets.partitions import WEEKLY
from assets.spans import Span, weeks_of
from assets.tables import WEEKLY_FRESHNESS
from conversations.policy import Policy
from conversations.window import iso_week
from resources.settings import Settings
from resources.sheets_resource import SheetsResource
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from resources.warehouse_resource import PolicyResource, WarehouseResource


@dg.multi_asset(
    name="marts_weeks",
    specs=[spec(mart, WEEKLY_FRESHNESS) for mart in marts("week")],
    check_specs=check_specs("week"),
    partitions_def=WEEKLY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="marts",
)
def marts_weeks(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource, sheets: SheetsResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Build the weeks aside, test them and what they are built from, and only if all of it passes swap them in."""
    first, last, mondays = weeks_of(context)
    weeks = [iso_week(monday) for monday in mondays]
    with said_stale(context, warehouse, sheets, weeks), explained(context):
        database = warehouse.open(Role.PUBLISHER)
        with publishing(database):
            variables = told_dbt(database, policy.load(), first, last, period="week")
            try:
                # the checks look into raw, where the publisher may not
                failing = unsound(warehouse.open(), Span(mondays[0], mondays[-1] + timedelta(days=6)))
                built = _built(database, weeks, policy.load(), variables)
                failed = bool(failing or built.failed)
                if not failed:
                    swap(database, weeks)
            except Exception:
                # what is published is no longer the newest that was wanted, whyever that could not be judged, built or
                # swapped in
                mark_stale(database, weeks)
                raise
            stale = mark_stale(database, weeks) if failed else 0
            shown = {} if failed else numbers(database, weeks)
    for test in built.tests:
        yield check_result(test)
    if failed:
        contradicted = ", ".join(filter(None, (named(failing), told(built.failed))))
        with said_stale(context, warehouse, sheets, weeks):
            raise dg.Failure(
                f"{span('Week', first, last)} was not published: {contradicted}. What was published before stays"
                f"{' and is marked stale' if stale else ''}. Look at the checks of the marts, cure the data or its "
                "loading, and publish again.",
                metadata={
                    "reason": "failed_check",
                    "failed_checks": [
                        *(result.check_name for result in failing),
                        *(test.name for test in built.failed),
                    ],
                },
            )
    for mart in marts("week"):
        for monday, week in zip(mondays, weeks, strict=True):
            context.add_asset_metadata(
                shown[mart.name, week], asset_key=["marts", mart.name], partition_key=monday.isoformat()
            )
        yield dg.MaterializeResult(asset_key=["marts", mart.name], metadata={"weeks": f"{first} … {last}"})


def _built(database: Warehouse, weeks: Sequence[str], policy: Policy, variables: dict[str, Any]) -> Built:
    """What dbt builds, and on top of it what Python does; nothing on top of what dbt's own tests contradict."""
    settings = Settings()
    of_dbt = dbt.build(database, settings.otklik_home, variables)
    if of_dbt.failed:
        return of_dbt
    of_python = python.build(database, weeks, policy, settings.now())
    return Built({**of_dbt.rows, **of_python.rows}, (*of_dbt.tests, *of_python.tests))
