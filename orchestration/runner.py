"""Runs inside the calling process, for the command and the demo: the same jobs as the UI's, seen in the same UI.

Here: a range of days or weeks turned into one run of a job, its progress and its outcome. Not here: what is said about
it on the screen (``orchestration.cli``), what is done (``assets``).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import dagster as dg

from conversations.window import monday_of
from orchestration.dead_runs import end_dead_runs
from orchestration.definitions import ASSETS, defs
from orchestration.partitions import sunday_of, weeks_between
from resources.accounts_resource import STARTED_BY
from resources.llm_resource import tags_of
from resources.scoring.subjects import Chosen
from resources.settings import Settings
from resources.warehouse.engine import Warehouse

Progress = Callable[[int, int], None]
"""Called with the steps that are done and all steps of the run."""

_RANGE_START, _RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The command prints what a person needs; everything else is in the run's own log."""


@dataclass(frozen=True)
class CheckOutcome:
    """One evaluated check."""

    asset: str
    name: str
    passed: bool


@dataclass(frozen=True)
class RunSummary:
    """What one run did."""

    run_id: str
    job: str
    first: str
    """First partition key."""
    last: str
    rows: Mapping[str, int] = field(default_factory=dict)
    """Rows per table in the partitions of the run; for directories all rows."""
    checks: Sequence[CheckOutcome] = ()
    seconds: float = 0.0

    @property
    def checks_passed(self) -> int:
        """How many checks passed."""
        return sum(check.passed for check in self.checks)

    @property
    def checks_failed(self) -> list[CheckOutcome]:
        """The checks that did not."""
        return [check for check in self.checks if not check.passed]

    @property
    def rows_by_layer(self) -> dict[str, int]:
        """Rows per layer, in the order of the walk."""
        layers: dict[str, int] = {}
        for table, count in self.rows.items():
            layer = table.split(".", 1)[0]
            layers[layer] = layers.get(layer, 0) + count
        return layers


class RunFailed(RuntimeError):
    """The run ended in failure; the first line says what happened and what to do. The cause is the original error."""

    def __init__(self, text: str, summary: RunSummary) -> None:
        super().__init__(text)
        self.summary = summary


def run_days(
    first: date,
    last: date,
    select: Sequence[str] | None = None,
    progress: Progress | None = None,
    *,
    instance: dg.DagsterInstance | None = None,
) -> RunSummary:
    """Load and judge the days ``first`` to ``last`` in one run of ``load_daily``.

    ``select`` narrows it to layers (``raw``) or tables (``core/messages``, ``core.messages``); a function that writes
    several tables in one transaction writes them all.

    Raises:
        RunFailed: a step or a blocking check failed.
        ValueError: ``select`` names nothing of the job.
    """
    return _run("load_daily", first.isoformat(), last.isoformat(), select, progress, instance)


def run_weeks(
    first: str, last: str, progress: Progress | None = None, *, instance: dg.DagsterInstance | None = None
) -> list[RunSummary]:
    """The ISO weeks ``first`` to ``last``: their days are loaded, then they are published, one run each.

    The marts of their days are ``publish_days``.

    Raises:
        RunFailed: one of the two runs failed; after a failed load nothing is published.
        ValueError: not ISO weeks.
    """
    weeks_between(first, last)
    loaded = run_days(monday_of(first), sunday_of(last), None, progress, instance=instance)
    return [loaded, publish_weeks(first, last, progress, instance=instance)]


def score_days(
    chosen: Chosen, progress: Progress | None = None, *, instance: dg.DagsterInstance | None = None
) -> RunSummary:
    """Judge the talks of at most seven days in one run of ``score_days``.

    Raises:
        RunFailed: the run failed; what was paid for is kept.
    """
    first, last = chosen.first.isoformat(), chosen.last.isoformat()
    return _run("score_days", first, last, None, progress, instance, tags_of(chosen))


def publish_weeks(
    first: str, last: str, progress: Progress | None = None, *, instance: dg.DagsterInstance | None = None
) -> RunSummary:
    """Compute, test and show the ISO weeks ``first`` to ``last`` in one run of ``publish_week``.

    Raises:
        RunFailed: a test failed, or the marts could not be built; nothing was published.
        ValueError: not ISO weeks.
    """
    weeks_between(first, last)
    return _run("publish_week", monday_of(first).isoformat(), monday_of(last).isoformat(), None, progress, instance)


def publish_days(
    first: date, last: date, progress: Progress | None = None, *, instance: dg.DagsterInstance | None = None
) -> RunSummary:
    """Compute, test and show the marts of the days ``first`` to ``last`` in one run of ``publish_days``.

    Raises:
        RunFailed: a test failed, or the marts could not be built; nothing was published.
    """
    return _run("publish_days", first.isoformat(), last.isoformat(), None, progress, instance)


def _run(
    job_name: str,
    first: str,
    last: str,
    select: Sequence[str] | None,
    progress: Progress | None,
    instance: dg.DagsterInstance | None,
    tags: Mapping[str, str] | None = None,
) -> RunSummary:
    started = time.monotonic()
    job = defs.resolve_job_def(job_name)
    chosen = None if select is None else _keys(job, select)
    run_id = str(uuid.uuid4())
    opened = instance or dg.DagsterInstance.get()
    try:
        if instance is None:
            _end_dead_runs(opened)
        total = len((job if chosen is None else job.get_subset(asset_selection=set(chosen))).nodes)
        listener = _Listener(progress, total)
        opened.add_event_listener(run_id, listener)
        problem: BaseException | None = None
        try:
            job.execute_in_process(
                run_config=_QUIET,
                instance=opened,
                tags={_RANGE_START: first, _RANGE_END: last, STARTED_BY: "command", **(tags or {})},
                asset_selection=chosen,
                run_id=run_id,
            )
        except Exception as error:
            problem = error
        summary = RunSummary(
            run_id, job_name, first, last, listener.rows, tuple(listener.checks), time.monotonic() - started
        )
    finally:
        if instance is None:
            opened.dispose()
    if problem is not None:
        raise RunFailed(_first_line(problem), summary) from problem
    return summary


class _Listener:
    """Counts steps, rows and checks as the events of the run pass by."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self.rows: dict[str, int] = {}
        self.checks: list[CheckOutcome] = []

    def __call__(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            return
        if event.is_step_success or event.is_step_failure or event.is_step_skipped:
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)
        elif event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key is not None:
            table = ".".join(event.asset_key.path)
            self.rows[table] = self.rows.get(table, 0) + _row_count(event.materialization.metadata)
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            check: Any = event.event_specific_data
            self.checks.append(CheckOutcome(".".join(check.asset_key.path), check.check_name, check.passed))


def _row_count(metadata: Mapping[str, Any]) -> int:
    found = metadata.get("dagster/partition_row_count") or metadata.get("dagster/row_count")
    return int(found.value) if found is not None and isinstance(found.value, int) else 0


def _keys(job: dg.JobDefinition, select: Iterable[str]) -> list[dg.AssetKey]:
    known = {".".join(key.path): key for key in job.asset_layer.selected_asset_keys}
    chosen: set[dg.AssetKey] = set()
    for wanted in select:
        name = wanted.strip().replace("/", ".")
        found = [key for table, key in known.items() if table == name or table.split(".", 1)[0] == name]
        if not found:
            raise ValueError(f"{wanted!r} names nothing of {job.name}; there are {', '.join(sorted(known))}")
        chosen.update(found)
    for assets in ASSETS:
        if isinstance(assets, dg.AssetsDefinition) and chosen.intersection(assets.keys):
            # what is written in one transaction cannot be chosen in part
            chosen.update(assets.keys)
    return sorted(chosen)


def _first_line(problem: BaseException) -> str:
    """What the failing step says; of other errors their kind and first line."""
    if isinstance(problem, dg.Failure) and problem.description:
        return problem.description
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return f"{type(problem).__name__}: {lines[0] if lines else 'no message'}"


def _end_dead_runs(instance: dg.DagsterInstance) -> None:
    """A command may be the only thing that runs here: no daemon looks for runs that died."""
    with Warehouse.open(Settings()) as warehouse:
        end_dead_runs(instance, warehouse)
