"""The day marts as assets, one partition per local day.

Here: build aside, look at the tests, swap or refuse. Not here: SQL, the swap itself; a day has no comparison, no
revision and no place in the spreadsheet.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.checks.judge import named
from assets.failures import explained
from assets.marts import dbt
from assets.marts.description import marts
from assets.marts.numbers import numbers_of_days
from assets.marts.publish import mark_days_stale, publishing, swap_days
from assets.marts.shared import check_result, check_specs, span, spec, told, unsound, variables
from assets.partitions import DAILY, FIRST_DAY
from assets.spans import Span, days_of
from assets.tables import DAILY_FRESHNESS
from resources.settings import Settings
from resources.warehouse.roles import Role
from resources.warehouse_resource import PolicyResource, WarehouseResource


@dg.multi_asset(
    name="marts_days",
    specs=[spec(mart, DAILY_FRESHNESS) for mart in marts("day")],
    check_specs=check_specs("day"),
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="marts",
)
def marts_days(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Build the days aside, test them and what they are built from, and only if all of it passes swap them in.

    A run over one day is the nightly one: like the load before it, it does the last days once more.
    """
    asked = days_of(context)
    with explained(context):
        rules = policy.load()
        days = Span(max(asked.reread(rules.reread_days).first, FIRST_DAY), asked.last)
        database = warehouse.open(Role.PUBLISHER)
        with publishing(database):
            range_ = variables(database, rules, days.keys[0], days.keys[-1], period="day")
            try:
                # the checks look into raw, where the publisher may not
                failing = unsound(warehouse.open(), days)
                built = dbt.build(database, Settings().otklik_home, range_, period="day")
                failed = bool(failing or built.failed)
                if not failed:
                    swap_days(database, days.days)
            except Exception:
                mark_days_stale(database, days.days)
                raise
            stale = mark_days_stale(database, days.days) if failed else 0
            shown = {} if failed else numbers_of_days(database, asked.days)
    for test in built.tests:
        yield check_result(test)
    if failed:
        contradicted = ", ".join(filter(None, (named(failing), told(built.failed))))
        raise dg.Failure(
            f"{span('Day', days.keys[0], days.keys[-1])}: nothing was published: {contradicted}. What was there before "
            f"stays{' and is marked stale' if stale else ''}. Look at the checks of the marts, cure the data or its "
            "loading, and publish the days again.",
            metadata={
                "reason": "failed_check",
                "failed_checks": [*(one.check_name for one in failing), *(test.name for test in built.failed)],
            },
        )
    for mart in marts("day"):
        for day in asked.days:
            context.add_asset_metadata(
                shown[mart.name, day], asset_key=["marts", mart.name], partition_key=day.isoformat()
            )
        yield dg.MaterializeResult(
            asset_key=["marts", mart.name], metadata={"days": f"{days.keys[0]} … {days.keys[-1]}"}
        )
