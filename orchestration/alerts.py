"""What Dagster says about itself: runs that ended, and whether its daemon is alive; read from its storage.

Here: turning its records into the facts of ``conversations.alerts``. Not here: what is trouble, what is told. The
daemon is not asked to watch itself: it may be what has died.

How far runs were looked through is ``{"until": epoch seconds, "seen": [run ids]}``. A run may be written a moment after
one that ended later, so each look begins ``OVERLAP_SECONDS`` before the last one's end and leaves out what it has seen.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast, get_args

import dagster as dg

from conversations.alerts import RUN_KINDS, Run
from conversations.policy_alerts import Area
from resources.alerts import Seen

log = logging.getLogger(__name__)

OVERLAP_SECONDS = 600.0
FIRST_LOOK_SECONDS = 86_400.0
"""The first look goes a day back: older failures are history."""
SETTLED_SECONDS = 5.0
"""Dagster marks a run that it will try again a moment after it failed."""
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_DAEMONS = ("SCHEDULER", "QUEUED_RUN_COORDINATOR")
"""Those that start work; each writes a heartbeat twice a minute."""
_OF_THEIR_OWN_DAYS = ("publish_week", "score_days")
"""Jobs that do no day before their own once more."""
_TAGS = {
    "partition": "dagster/partition",
    "first": "dagster/asset_partition_range_start",
    "last": "dagster/asset_partition_range_end",
    "schedule": "dagster/schedule_name",
    "will_retry": "dagster/will_retry",
}
_TOLD = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.ASSET_CHECK_EVALUATION}


class DagsterWatch:
    """One watcher's view of an instance; remembers since when it has been watching.

    Args:
        open_instance: Called again after an error: the storage may be back at another address.
        reread_days: How many days a run over one day does anew, its own included.
    """

    def __init__(
        self,
        open_instance: Callable[[], dg.DagsterInstance],
        reread_days: int,
        *,
        clock: Callable[[], float] = time.time,
        settled_seconds: float = SETTLED_SECONDS,
    ) -> None:
        self._open, self._reread_days, self._clock = open_instance, reread_days, clock
        self._settled_seconds = settled_seconds
        # what was silent before anybody watched may be about to start, like the watch itself
        self._since = self._last_beat = clock()
        self._instance: dg.DagsterInstance | None = None

    def __call__(self, place: Mapping[str, Any] | None) -> Seen:
        """Everything that ended since ``place``; what cannot be asked is ``unseen``.

        A daemon whose storage does not answer cannot work either: its silence goes on.
        """
        try:
            if self._instance is None:
                self._instance = self._open()
            runs, reached = self._runs(self._instance, place)
            self._last_beat = max(self._heard_last(self._instance), self._since)
            return Seen(tuple(runs), reached, self._silence())
        except Exception as error:
            # any storage may raise anything, and the watch must go on with what it can see
            log.warning("Dagster's storage cannot be read: reason=%s", type(error).__name__)
            self.close()
            return Seen(silence=self._silence(), unseen=RUN_KINDS)

    def close(self) -> None:
        """Let the instance go."""
        if self._instance is not None:
            self._instance.dispose()
            self._instance = None

    def _runs(self, instance: dg.DagsterInstance, place: Mapping[str, Any] | None) -> tuple[list[Run], dict[str, Any]]:
        now = self._clock()
        until = float(place["until"]) if place is not None else now - FIRST_LOOK_SECONDS
        seen = set(place["seen"]) if place is not None else set()
        begin = until - OVERLAP_SECONDS
        filters = dg.RunsFilter(statuses=_ENDED, updated_after=datetime.fromtimestamp(begin, UTC))
        records = instance.get_run_records(filters)
        ended = [(record.end_time or record.update_timestamp.timestamp(), record) for record in records]
        fresh = [
            (at, record)
            for at, record in ended
            if at > begin and at <= now - self._settled_seconds and record.dagster_run.run_id not in seen
        ]
        reached = max([until, *(at for at, _ in fresh)])
        kept = [
            record.dagster_run.run_id
            for at, record in ended
            if at > reached - OVERLAP_SECONDS and at <= now - self._settled_seconds
        ]
        found = [run_of(instance, record.dagster_run, at, self._reread_days) for at, record in fresh]
        return [run for run in found if run is not None], {"until": reached, "seen": sorted(kept)}

    def _silence(self) -> timedelta:
        return timedelta(seconds=max(self._clock() - self._last_beat, 0.0))

    @staticmethod
    def _heard_last(instance: dg.DagsterInstance) -> float:
        """When the daemon that has been silent longest was heard last."""
        beats = instance.get_daemon_heartbeats()
        times = [beats[name].timestamp for name in _DAEMONS if name in beats]
        return min(times) if len(times) == len(_DAEMONS) else 0.0


def run_of(instance: dg.DagsterInstance, run: dg.DagsterRun, ended_at: float, reread_days: int) -> Run | None:
    """A run as the rules see it; ``None`` for one that Dagster will try again."""
    if run.is_failure and run.tags.get(_TAGS["will_retry"]) == "true":
        return None
    first, last = _days(run.tags)
    steps, checks, accounts = _failures(instance, run)
    failed_step, reason = steps[-1] if steps else ("", "died")
    if checks:
        reason = "failed_check" if not steps or reason in ("", "unexpected") else reason
    elif failed_step.endswith("_checks") and not accounts:
        # a check that raised counts as failed (promise F29)
        checks = (failed_step,)
    where = checks[0] if checks else failed_step
    return Run(
        run.run_id,
        run.job_name,
        datetime.fromtimestamp(ended_at, UTC),
        run.is_success and not checks and not accounts,
        first=first,
        last=last,
        covers_from=_covers_from(run, first, last, reread_days),
        assets=frozenset(key.to_user_string() for key in run.asset_selection or ()),
        is_scheduled=_TAGS["schedule"] in run.tags,
        area=area_of(where),
        reason="" if run.is_success and not checks and not accounts else reason,
        connections=accounts,
        failed_checks=checks,
    )


_OTHER_NAMES: dict[str, Area] = {
    "account": "raw",
    "reference": "core",
    "requirements": "core",
    "scorecard": "evaluated",
}
"""Areas of places that are named after something else."""


def area_of(place: str) -> Area:
    """The layer of an asset, a check or a step by its name; what fits none is the platform's.

    >>> area_of("marts/manager_week: is_unique"), area_of("raw__retailcrm__messages"), area_of("account_checks")
    ('marts', 'raw', 'raw')
    """
    for begin, area in _OTHER_NAMES.items():
        if place.startswith(begin):
            return area
    for area in get_args(Area):
        if place.startswith((f"{area}/", f"{area}_")):
            return cast("Area", area)
    return "platform"


def _days(tags: Mapping[str, str]) -> tuple[date | None, date | None]:
    only = tags.get(_TAGS["partition"])
    keys = tags.get(_TAGS["first"], only), tags.get(_TAGS["last"], only)
    try:
        first, last = (None if key is None else date.fromisoformat(key) for key in keys)
    except ValueError:
        return None, None
    return (first, last) if first is not None and last is not None else (None, None)


def _covers_from(run: dg.DagsterRun, first: date | None, last: date | None, reread_days: int) -> date | None:
    """A run over one day does the last days once more; one over a range does that range."""
    if first is None or first != last or run.job_name in _OF_THEIR_OWN_DAYS:
        return first
    if run.asset_selection and all(key.path[0] in ("marts", "exports") for key in run.asset_selection):
        return first
    return first - timedelta(days=max(reread_days, 1) - 1)


def _failures(
    instance: dg.DagsterInstance, run: dg.DagsterRun
) -> tuple[list[tuple[str, str]], tuple[str, ...], tuple[str, ...]]:
    """Failed steps with their reasons; failed checks; the accounts that a check names as failed."""
    steps: list[tuple[str, str]] = []
    checks: dict[str, None] = {}
    accounts: dict[str, None] = {}
    for record in instance.get_records_for_run(run.run_id, of_type=_TOLD).records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        if event.event_type is dg.DagsterEventType.STEP_FAILURE:
            steps.append((event.step_key or "", _reason(event)))
            continue
        check: Any = event.event_specific_data
        if check.passed or check.severity is not dg.AssetCheckSeverity.ERROR:
            continue
        named = check.metadata.get("failed")
        if named is not None and isinstance(named.value, dict):
            accounts |= dict.fromkeys(str(one) for one in named.value)
        else:
            checks[f"{check.asset_key.to_user_string()}: {check.check_name}"] = None
    return steps, tuple(checks), tuple(accounts)


def _reason(event: dg.DagsterEvent) -> str:
    """The code that the failing step gave; its words stay in Dagster."""
    data = getattr(event.step_failure_data, "user_failure_data", None)
    found = data.metadata.get("reason") if data is not None else None
    return str(found.value) if found is not None else "unexpected"
