"""What the assets of weeks and of days have in common: specs, checks, what dbt is told, what must be sound before.

Here: one description and one rule for both. Not here: the assets (``assets.marts.weeks``, ``assets.marts.days``).
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from assets.checks.core import CORE
from assets.checks.evaluated import EVALUATED
from assets.checks.judge import judge, loaded_days
from assets.marts.dbt import TestResult
from assets.marts.description import Mart, Period, marts
from assets.marts.publish import is_judged
from assets.partitions import TIME_ZONE
from assets.spans import Span
from conversations.policy import DEFINITION_VERSION, Policy
from resources.warehouse.engine import Warehouse

_JUDGED = [dg.AssetKey(["evaluated", table]) for table in ("waits", "sessions", "left_waiting", "behaviour")]
_CALLS = [dg.AssetKey(["core", "calls"])]
_SCORES = [dg.AssetKey(["evaluated", table]) for table in ("scorecards", "scorecard_criteria")]
_GATES = [dg.AssetKey(["reference", "criterion_gates"])]
_DIRECTORY = [dg.AssetKey(["reference", table]) for table in ("departments", "offices", "supervisors", "operators")]
_KNOWN = [dg.AssetKey(["core", table]) for table in ("messages", "events", "conversations", "channels", "managers")]
_PEOPLE = [dg.AssetKey(["reference", table]) for table in ("people", "person_teams")]


def spec(mart: Mart, freshness: dg.FreshnessPolicy) -> dg.AssetSpec:
    """The asset of a mart, described by its YAML."""
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
        freshness_policy=freshness,
    )


def _deps(mart: Mart) -> list[dg.AssetKey]:
    if mart.name == "call_results":
        return [*_CALLS, *_SCORES, *_GATES, *_DIRECTORY, *_KNOWN, *_PEOPLE]
    if mart.name == "llm_spend_day":
        # what was paid stands in the ledger, which the scoring run keeps
        return [*_SCORES, _DIRECTORY[0]]
    if mart.by == "dbt":
        return [*_JUDGED, *_CALLS, *_SCORES, *_GATES, *_KNOWN, *_PEOPLE]
    return [
        *_JUDGED,
        *_SCORES,
        *_GATES,
        *_PEOPLE,
        *(dg.AssetKey(["marts", other.name]) for other in marts("week") if other.by == "dbt"),
    ]


def check_specs(period: Period) -> list[dg.AssetCheckSpec]:
    """The tests of a period's marts as checks that hold the publication back."""
    return [
        dg.AssetCheckSpec(
            test.name, asset=["marts", mart.name], description=test.description, blocking=True, metadata={"by": mart.by}
        )
        for mart in marts(period)
        for test in mart.tests
    ]


def check_result(test: TestResult) -> dg.AssetCheckResult:
    """What a test found, as the result of its check."""
    return dg.AssetCheckResult(
        asset_key=["marts", test.mart],
        check_name=test.name,
        passed=test.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=test.message or None,
        metadata={"rows_that_contradict": test.failures},
    )


def told(tests: list[TestResult]) -> str:
    """The tests that contradict, in a line."""
    return ", ".join(f"{test.name} found {test.failures} row(s)" for test in tests)


def variables(database: Warehouse, policy: Policy, first: str, last: str, *, period: Period) -> dict[str, Any]:
    """What dbt is told: the range and the policy, never a clock.

    Raises:
        dg.Failure: no conversation was judged yet.
    """
    if not is_judged(database):
        name = "Week" if period == "week" else "Day"
        raise dg.Failure(
            f"{span(name, first, last)} cannot be published: no conversation was judged yet. Load its days first "
            "(otklik backfill, or the job load_daily).",
            metadata={"reason": "nothing_judged"},
        )
    return {
        f"first_{period}": first,
        f"last_{period}": last,
        "time_zone": TIME_ZONE,
        "definition_version": DEFINITION_VERSION,
        "early_delete_seconds": policy.early_delete_seconds,
        "short_call_seconds": policy.telephony.short_call_seconds,
    }


def unsound(database: Warehouse, days: Span) -> list[dg.AssetCheckResult]:
    """The checks of core and evaluated that the days fail.

    They were judged when the days were loaded, but a failed load must hold the publication back as well, and dbt sees
    only what adds up, not what is true of each wait.
    """
    loaded = loaded_days(database, days)
    rules = [(table, rule) for layer in (CORE, EVALUATED) for table in layer for rule in table.rules]
    return [result for result in judge(database, days, rules, loaded) if not result.passed] if loaded else []


def span(name: str, first: str, last: str) -> str:
    """``Week 2026-W46``, ``Days 2026-11-09 to 2026-11-15``."""
    return f"{name} {first}" if first == last else f"{name}s {first} to {last}"
