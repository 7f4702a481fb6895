"""The marts of managers, channels, data status and what was published of them as assets, one partition per ISO week.

Here: build aside, look at the tests, swap or refuse. Not here: SQL, the marts that Python builds
(``assets.marts.python``), the swap itself.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import dagster as dg

from assets.checks.core import CORE
from assets.checks.evaluated import EVALUATED
from assets.checks.judge import judge, loaded_days, named
from assets.exports.stale import said_stale
from assets.failures import explained
from assets.marts import dbt
from assets.marts.dbt import Built, TestResult
from assets.marts.description import Mart, marts
from assets.marts.numbers import numbers
from assets.marts.publish import is_judged, mark_stale, publishing, swap
from assets.marts.python import build as python
from assets.partitions import TIME_ZONE, WEEKLY
from assets.spans import Span, weeks_of
from assets.tables import WEEKLY_FRESHNESS
from conversations.policy import DEFINITION_VERSION, Policy
from conversations.window import iso_week
from resources.settings import Settings
from resources.sheets_resource import SheetsResource
from resources.warehouse.engine import Warehouse
from resources.warehouse.roles import Role
from resources.warehouse_resource import PolicyResource, WarehouseResource

_JUDGED = [dg.AssetKey(["evaluated", table]) for table in ("waits", "sessions", "left_waiting")]
_KNOWN = [dg.AssetKey(["core", table]) for table in ("messages", "events", "conversations", "channels", "managers")]
_PEOPLE = [dg.AssetKey(["reference", table]) for table in ("people", "person_teams")]


def _deps(mart: Mart) -> list[dg.AssetKey]:
    built = [dg.AssetKey(["marts", other.name]) for other in marts() if other.by == "dbt"]
    return [*_JUDGED, *_KNOWN, *_PEOPLE] if mart.by == "dbt" else [*_JUDGED, *_PEOPLE, *built]


def _spec(mart: Mart) -> dg.AssetSpec:
    columns = [
        dg.TableColumn(
            column.name,
            column.kind,
            description=column.description,
            constraints=dg.TableColumnConstraints(nullable=column.is_nullable, unique=False),
        )
        for column in mart.columns
    ]
    return dg.AssetSpec(
        ["marts", mart.name],
        deps=_deps(mart),
        group_name="marts",
        description=mart.description,
        owners=[mart.owner],
        kinds={mart.by, "postgres"},
        tags={"pii": mart.pii},
        metadata={"dagster/table_name": f"marts.{mart.name}", "dagster/column_schema": dg.TableSchema(columns=columns)},
        freshness_policy=WEEKLY_FRESHNESS,
    )


def _check_specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            test.name, asset=["marts", mart.name], description=test.description, blocking=True, metadata={"by": mart.by}
        )
        for mart in marts()
        for test in mart.tests
    ]


@dg.multi_asset(
    name="marts_weeks",
    specs=[_spec(mart) for mart in marts()],
    check_specs=_check_specs(),
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
            variables = _variables(database, policy, first, last)
            try:
                # the checks look into raw, where the publisher may not
                unsound = _unsound(warehouse.open(), Span(mondays[0], mondays[-1] + timedelta(days=6)))
                built = _built(database, weeks, policy.load(), variables)
            except Exception:
                # what is published is no longer the newest that was wanted, whyever it could not be judged or built
                mark_stale(database, weeks)
                raise
            failed = bool(unsound or built.failed)
            if not failed:
                swap(database, weeks)
            stale = mark_stale(database, weeks) if failed else 0
            shown = {} if failed else numbers(database, weeks)
    for test in built.tests:
        yield _judged(test)
    if failed:
        contradicted = ", ".join(filter(None, (named(unsound), _named(built))))
        with said_stale(context, warehouse, sheets, weeks):
            raise dg.Failure(
                f"{_span(first, last)} was not published: {contradicted}. What was published before stays"
                f"{' and is marked stale' if stale else ''}. Look at the checks of the marts, cure the data or its "
                "loading, and publish again.",
                metadata={
                    "reason": "failed_check",
                    "failed_checks": [
                        *(result.check_name for result in unsound),
                        *(test.name for test in built.failed),
                    ],
                },
            )
    for mart in marts():
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


def _variables(database: Warehouse, policy: PolicyResource, first: str, last: str) -> dict[str, Any]:
    if not is_judged(database):
        raise dg.Failure(
            f"{_span(first, last)} cannot be published: no conversation was judged yet. Load its days first "
            "(otklik backfill, or the job load_daily).",
            metadata={"reason": "nothing_judged"},
        )
    return {
        "first_week": first,
        "last_week": last,
        "time_zone": TIME_ZONE,
        "definition_version": DEFINITION_VERSION,
        "early_delete_seconds": policy.load().early_delete_seconds,
    }


def _unsound(database: Warehouse, span: Span) -> list[dg.AssetCheckResult]:
    """The checks of core and evaluated that the weeks' days fail.

    They were judged when the days were loaded, but a failed load must hold the publication back as well, and dbt sees
    only what adds up, not what is true of each wait.
    """
    days = loaded_days(database, span)
    rules = [(table, rule) for layer in (CORE, EVALUATED) for table in layer for rule in table.rules]
    return [result for result in judge(database, span, rules, days) if not result.passed] if days else []


def _judged(test: TestResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=["marts", test.mart],
        check_name=test.name,
        passed=test.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=test.message or None,
        metadata={"rows_that_contradict": test.failures},
    )


def _named(built: Built) -> str:
    return ", ".join(f"{test.name} found {test.failures} row(s)" for test in built.failed)


def _span(first: str, last: str) -> str:
    return f"Week {first}" if first == last else f"Weeks {first} to {last}"
