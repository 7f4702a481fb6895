"""Judging a layer: counts from the database, expectations of Great Expectations, results for Dagster.

Here: how. Not here: what is expected (``raw``, ``core``, ``evaluated``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.checks.rules import Counted, Rule
from assets.failures import explained
from assets.partitions import FIRST_DAY, TIME_ZONE
from assets.spans import Span, days_if_any
from resources.warehouse.engine import Warehouse
from resources.warehouse_resource import PolicyResource, WarehouseResource

if TYPE_CHECKING:
    from pandas import DataFrame

BY_HAND_DAYS = 7
"""A check that somebody starts by hand, without a day, looks at the last days that were judged."""


def checks_of(layer: str, counted: Sequence[Counted]) -> dg.AssetChecksDefinition:
    """One op that holds every check of a layer; a run executes those of its assets."""
    specs = [
        dg.AssetCheckSpec(
            rule.name,
            asset=table.key,
            description=rule.description,
            blocking=True,
            metadata={"by": "great_expectations", "at_most": str(rule.at_most), "at_least": str(rule.at_least)},
        )
        for table in counted
        for rule in table.rules
    ]

    @dg.multi_asset_check(name=f"{layer}_checks", specs=specs, can_subset=True)
    def checks(
        context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
    ) -> Iterator[dg.AssetCheckResult]:
        chosen = [
            (table, rule)
            for table in counted
            for rule in table.rules
            if dg.AssetCheckKey(table.key, rule.name) in context.selected_asset_check_keys
        ]
        with explained(context):
            database = warehouse.open()
            asked = days_if_any(context) or _last_days(database)
            # what a run reads once more it also writes once more: late rows reach the next layer only through here
            span = asked.reread(policy.load().reread_days)
            days = sorted({*asked.days, *loaded_days(database, span)})
            results = list(judge(database, span, chosen, days))
        yield from results
        if failed := [result for result in results if not result.passed]:
            raise dg.Failure(_advice(layer, span, failed), metadata={"reason": "failed_check"})

    return checks


def _advice(layer: str, span: Span, failed: Sequence[dg.AssetCheckResult]) -> str:
    return (
        f"{layer} of {span.first} to {span.last} fails {len(failed)} check(s) ({named(failed)}). Nothing after it was "
        "run. Each check says which days and why; cure the source or the mapping and run the same days again."
    )


def named(failed: Sequence[dg.AssetCheckResult]) -> str:
    """The failed checks as one phrase."""
    return ", ".join(f"{'.'.join(result.asset_key.path)}: {result.check_name}" for result in failed if result.asset_key)


def loaded_days(database: Warehouse, span: Span) -> list[date]:
    """The days of the span that were read: a read of them ended, or messages of theirs are stored.

    Of a day that nobody has loaded nothing can be demanded, neither counters nor volume.
    """
    with database.connect("otklik-checks") as connection:
        found = connection.execute(_LOADED, {"first": span.first, "last": span.last, "zone": TIME_ZONE}).fetchall()
    return [row[0] for row in found]


_LOADED = """
select d.day
from (
    select
        s::date as day,
        s at time zone %(zone)s as begins,
        (s + interval '1 day') at time zone %(zone)s as ends
    from generate_series(%(first)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') as s
) as d
where
    exists (
        select from ops.cursors as c
        where c.stream = 'messages' and c.is_complete and c.window_start <= d.begins and c.window_end >= d.ends
    )
    or exists (
        -- by connection: there is no index that begins with the time
        select from (select distinct connection_id from ops.cursors where stream = 'messages') as k
        inner join raw.retailcrm__messages as r on r.connection_id = k.connection_id
        where r.event_at >= d.begins and r.event_at < d.ends
    )
order by 1
"""


def judge(
    database: Warehouse, span: Span, chosen: Sequence[tuple[Counted, Rule]], days: Sequence[date] | None = None
) -> Iterator[dg.AssetCheckResult]:
    """Judge the chosen rules over the days of the span, or over those ``days`` of it (at least one).

    A statement that cannot be run fails its checks: what was not looked at is not known to be good (F29).
    """
    frame, broken = _frame(database, span, span.days if days is None else days, dict.fromkeys(t for t, _ in chosen))
    able = [(table, rule) for table, rule in chosen if table.table not in broken]
    judged = verdicts(frame, able) if able else {}
    for table, rule in chosen:
        if table.table in broken:
            yield _result(table, rule, False, {"reason": broken[table.table]}, "The check itself could not be run.")
            continue
        values = frame[table.column(rule)]
        outside = [str(day) for day, value in values.items() if not _within(rule, value)]
        numbers = {
            "worst": float(values.max() if rule.at_most is not None else values.min()),
            "days_looked_at": len(values),
            "days_that_contradict": len(outside),
        }
        said = f"Contradicted on {', '.join(outside[:10])}" if outside else None
        yield _result(table, rule, judged[table.column(rule)], numbers, said)


def _result(
    table: Counted, rule: Rule, passed: bool, metadata: dict[str, Any], description: str | None
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=table.key,
        check_name=rule.name,
        passed=passed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=metadata,
        description=description,
    )


def _within(rule: Rule, value: float) -> bool:
    return (rule.at_most is None or value <= rule.at_most) and (rule.at_least is None or value >= rule.at_least)


def _frame(
    database: Warehouse, span: Span, days: Sequence[date], tables: Iterable[Counted]
) -> "tuple[DataFrame, dict[tuple[str, str], str]]":
    """One row per day, one column per rule of the tables; and the tables whose statement failed, with the reason."""
    import pandas as pd
    import psycopg

    window = span.window(TIME_ZONE)
    parameters = {
        "first": span.first, "last": span.last, "start": window.start, "end": window.end, "zone": TIME_ZONE
    }  # fmt: skip
    columns: dict[str, list[float]] = {}
    broken: dict[tuple[str, str], str] = {}
    with database.connect("otklik-checks", autocommit=True) as connection:
        for table in tables:
            try:
                cursor = connection.execute(table.statement, parameters)  # constants of this package, never input
                found = [dict(zip((c.name for c in cursor.description or ()), row, strict=True)) for row in cursor]
            except psycopg.OperationalError:
                raise
            except psycopg.Error as error:
                broken[table.table] = f"sql_{error.sqlstate}"
                continue
            by_day: dict[date | None, dict[str, Any]] = {row.get("day"): row for row in found}
            for rule in table.rules:
                untouched = rule.at_least if rule.at_least is not None else 0.0
                columns[table.column(rule)] = [
                    _number(by_day.get(day if table.is_dated else None, {}).get(rule.name), untouched) for day in days
                ]
    return pd.DataFrame(columns, index=pd.Index([day.isoformat() for day in days], name="day")), broken


def _number(value: Any, untouched: float) -> float:
    return float(untouched if value is None else value)


def verdicts(frame: "DataFrame", chosen: Sequence[tuple[Counted, Rule]]) -> dict[str, bool]:
    """Whether each column meets its expectation, by Great Expectations.

    Columns with the same bounds are judged as one, one under the other: an expectation costs fifteen milliseconds of
    CPU however little it looks at. Of one that could not be judged no column is good.
    """
    import great_expectations as gx
    import pandas as pd
    from great_expectations.expectations import ExpectColumnValuesToBeBetween

    columns: dict[tuple[float | None, float | None], list[str]] = {}
    for table, rule in chosen:
        columns.setdefault((rule.at_least, rule.at_most), []).append(table.column(rule))
    stacked = {str(bounds): frame[names].melt()["value"] for bounds, names in columns.items()}
    suite = gx.ExpectationSuite(
        name="layer",
        expectations=[
            ExpectColumnValuesToBeBetween(column=str((low, high)), min_value=low, max_value=high)
            for low, high in columns
        ],
    )
    batch = _batches().get_batch(batch_parameters={"dataframe": pd.DataFrame(stacked)})
    outcome = batch.validate(suite, result_format="COMPLETE")
    found = {one.expectation_config.kwargs["column"]: one for one in outcome.results}
    good: dict[str, bool] = {}
    for bounds, names in columns.items():
        judged = found[str(bounds)]
        # an expectation that raised says nothing but that it failed
        outside = judged.result.get("unexpected_index_list", [] if judged.success else range(len(frame) * len(names)))
        bad = {at // len(frame) for at in outside}
        good |= {name: place not in bad for place, name in enumerate(names)}
    return good


@cache
def _batches() -> Any:
    """The one context of the process and its one place for frames: making them costs more than judging."""
    import os

    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("counts").add_dataframe_asset("layer")
    return asset.add_batch_definition_whole_dataframe("all")


def _last_days(database: Warehouse) -> Span:
    with database.connect("otklik-checks") as connection:
        row = connection.execute("select (max(as_of) at time zone %s)::date from ops.as_of", [TIME_ZONE]).fetchone()
    last = row[0] - timedelta(days=1) if row and row[0] else FIRST_DAY
    return Span(max(FIRST_DAY, last - timedelta(days=BY_HAND_DAYS - 1)), last)
