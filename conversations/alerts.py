"""What is trouble, when an incident opens and when it is over: rules over one look at the platform.

Here: pure functions of facts, limits and the incidents that are open. Not here: how the facts are found
(``resources.alerts``, ``orchestration.alerts``), how incidents are kept (``resources.warehouse.incidents``), what
people are told (``conversations.messages.alerts``).

Two sorts of trouble. A *state* (a late source, a refused key, a silent daemon, a missing week, a full disk) is trouble
while it is seen and over when it is not. A *failed run* is trouble until a run of the same job has come through that
covers everything that failed. One trouble is told once: a run that failed because of an account that is in trouble
itself, data that are late because nobody may read them, a judgement that is old because its source is late, open
nothing of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from conversations.window import Window, business_day, iso_week

if TYPE_CHECKING:
    # the texts are imported with every command, and pydantic is not needed for them
    from conversations.policy_alerts import AlertLimits, Area


class Kind(StrEnum):
    """What is wrong."""

    RUN_FAILED = "run_failed"
    CHECK_FAILED = "check_failed"
    LATE = "late"
    CONNECTION = "connection"
    HEARTBEAT = "heartbeat"
    NO_WEEK = "no_week"
    SCORING = "scoring"
    DISK = "disk"
    DATABASE = "database"


RUN_KINDS = frozenset({Kind.RUN_FAILED, Kind.CHECK_FAILED})
EVALUATION = "evaluated"
"""Subject of LATE for the judgement itself, instead of an account's name."""
BOUGHT, SCORED = "bought", "scored"
"""Subjects of SCORING: the last run bought not everything; nobody has judged the talks of a day at all."""
UNWELL = frozenset({"needs_auth", "broken"})
"""States of an account that a person must look at; ``rate_limited`` heals by itself, and shows as late if not."""
BUSY = "busy"
DISK_EASE = 2.0
"""Percent that must be free again below the limit: a disk at the limit would open and close by the minute."""


@dataclass(frozen=True)
class Source:
    """One account that is in use."""

    connection_id: str
    vendor: str
    is_read: bool
    """Whether conversations are read from it; sheets and messengers are only written to."""
    status: str | None
    reason: str | None
    """A code of ``resources.clients.errors``."""
    checked_at: datetime | None
    synced_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class Run:
    """A run that ended since the last look, by success or failure; one that will be tried again is none of them."""

    run_id: str
    job: str
    ended_at: datetime
    succeeded: bool
    """Without a failed check."""
    first: date | None = None
    """First and last day (or Monday) that it was about; ``None``: it has no partitions."""
    last: date | None = None
    covers_from: date | None = None
    """First day that it did anew: a nightly run does the days before its own once more."""
    assets: frozenset[str] = frozenset()
    """What it was narrowed to; empty: all that the job has."""
    is_scheduled: bool = False
    area: Area = "platform"
    """Where it failed."""
    reason: str = ""
    connections: tuple[str, ...] = ()
    """The accounts that it failed for, where it says so."""
    failed_checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disk:
    """One file system."""

    place: str
    percent: float
    """Taken, of the whole."""


@dataclass(frozen=True)
class Scoring:
    """How the judging of talk by rubrics goes."""

    stopped: frozenset[str] = frozenset()
    """What ended the buying of the last run: run, day, department (budgets), unavailable; empty: nothing."""
    stopped_at: datetime | None = None
    missed: tuple[date, ...] = ()
    """Days whose calls were there in time and that nobody has judged."""
    missed_since: datetime | None = None
    """When the first of them should have been."""


@dataclass(frozen=True)
class Facts:
    """Everything that one look saw."""

    now: datetime
    sources: tuple[Source, ...] = ()
    judged_until: datetime | None = None
    """Up to when every account is judged, the one furthest behind; ``None``: no account."""
    published: frozenset[str] = frozenset()
    """Which of ``weeks_wanted`` are published."""
    runs: tuple[Run, ...] = ()
    silence: timedelta | None = None
    """How long the daemon has given no sign of life while somebody watched; ``None``: nobody waits for one."""
    disks: tuple[Disk, ...] = ()
    scoring: Scoring = Scoring()
    database_away: tuple[datetime, datetime] | None = None
    """From when to when the database did not answer, if it did not before this look."""
    unseen: frozenset[Kind] = frozenset()
    """What could not be looked at: nothing of it opens or closes."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong."""

    kind: Kind
    area: Area
    subject: str
    since: datetime
    reason: str = ""
    fingerprint: str = ""
    """The same trouble has the same one; empty: kind and subject."""
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """JSON: what tells its end, and what the message names."""

    @property
    def key(self) -> str:
        """The fingerprint."""
        return self.fingerprint or f"{self.kind}:{self.subject}"


@dataclass(frozen=True)
class Incident:
    """An open incident, as far as the rules care."""

    incident_id: str
    fingerprint: str
    kind: Kind
    subject: str
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """What one look changes."""

    opened: tuple[Trouble, ...] = ()
    again: tuple[tuple[Incident, Trouble], ...] = ()
    """Seen once more; the trouble carries the newest reason and details."""
    closed: tuple[Incident, ...] = ()
    past: tuple[tuple[Trouble, datetime], ...] = ()
    """Began and ended between two looks."""


def judge(facts: Facts, known: Sequence[Incident], limits: AlertLimits, time_zone: str) -> Changes:
    """What the facts change about the open incidents ``known``."""
    states = {trouble.key: trouble for trouble in _states(facts, known, limits, time_zone)}
    standing = {one.fingerprint: one for one in known if one.kind not in RUN_KINDS}
    opened = [trouble for key, trouble in states.items() if key not in standing]
    again = [(standing[key], trouble) for key, trouble in states.items() if key in standing]
    closed = [one for key, one in standing.items() if key not in states and one.kind not in facts.unseen]
    failed = _runs(facts, known)
    past = []
    if facts.database_away is not None:
        begin, end = facts.database_away
        past.append((Trouble(Kind.DATABASE, "platform", "warehouse", begin, "away"), end))
    return Changes(
        (*opened, *failed.opened), (*again, *failed.again), (*closed, *failed.closed), tuple(past)
    )  # fmt: skip


def weeks_wanted(now: datetime, known: Sequence[Incident], limits: AlertLimits, time_zone: str) -> frozenset[str]:
    """The weeks whose publication matters now: the last closed one once its hour has come, and those that are missed.

    >>> from datetime import UTC
    >>> from conversations.policy_alerts import AlertLimits
    >>> sorted(weeks_wanted(datetime(2026, 11, 23, 5, 59, tzinfo=UTC), (), AlertLimits(), "Europe/Moscow"))
    ['2026-W46']
    >>> sorted(weeks_wanted(datetime(2026, 11, 23, 6, 0, tzinfo=UTC), (), AlertLimits(), "Europe/Moscow"))
    ['2026-W47']
    """
    local = now.astimezone(ZoneInfo(time_zone))
    today = local.date()
    monday = today - timedelta(days=today.weekday())
    # before the hour of this Monday the week before the last one is still the newest that must be there
    before = 2 if today == monday and local.time() < limits.week_by else 1
    return frozenset(
        {iso_week(monday - timedelta(weeks=before)), *(one.subject for one in known if one.kind is Kind.NO_WEEK)}
    )


# --- states ---------------------------------------------------------------------------------------------------------


def _states(facts: Facts, known: Sequence[Incident], limits: AlertLimits, time_zone: str) -> Iterable[Trouble]:
    found = [
        *_connections(facts),
        *_late(facts, limits),
        *_heartbeat(facts, limits),
        *_weeks(facts, known, limits, time_zone),
        *_scoring(facts, known),
        *_disks(facts, known, limits),
    ]
    return [trouble for trouble in found if trouble.kind not in facts.unseen]


def _connections(facts: Facts) -> Iterable[Trouble]:
    for source in facts.sources:
        if source.status in UNWELL:
            yield Trouble(
                Kind.CONNECTION,
                "connections",
                source.connection_id,
                source.checked_at or facts.now,
                source.reason or source.status or "",
                details={"vendor": source.vendor},
            )


def _late(facts: Facts, limits: AlertLimits) -> Iterable[Trouble]:
    allowed = timedelta(hours=limits.late_hours)
    read = [source for source in facts.sources if source.is_read]
    found = [
        Trouble(Kind.LATE, "raw", source.connection_id, source.synced_at or source.created_at, "not_read")
        for source in read
        # who may not read it or cannot is told that, and not also that the data are old
        if source.status not in UNWELL and facts.now - (source.synced_at or source.created_at) > allowed
    ]
    is_well = read and not found and all(source.status not in UNWELL for source in read)
    if is_well and facts.judged_until is not None and facts.now - facts.judged_until > allowed:
        found.append(Trouble(Kind.LATE, "evaluated", EVALUATION, facts.judged_until, "not_judged"))
    return found


def _heartbeat(facts: Facts, limits: AlertLimits) -> Iterable[Trouble]:
    allowed = timedelta(minutes=limits.heartbeat_minutes)
    if allowed and facts.silence is not None and facts.silence > allowed:
        yield Trouble(Kind.HEARTBEAT, "platform", "daemon", facts.now - facts.silence, "silent")


def _weeks(facts: Facts, known: Sequence[Incident], limits: AlertLimits, time_zone: str) -> Iterable[Trouble]:
    zone = ZoneInfo(time_zone)
    for week in sorted(weeks_wanted(facts.now, known, limits, time_zone) - facts.published):
        end = Window.of_week(week, time_zone).end
        # nobody can publish a week in which nothing was connected yet
        if any(source.is_read and source.created_at < end for source in facts.sources):
            due = datetime.combine(business_day(end, time_zone), limits.week_by, zone)
            yield Trouble(Kind.NO_WEEK, "marts", week, due, "not_published")


def _scoring(facts: Facts, known: Sequence[Incident]) -> Iterable[Trouble]:
    found = facts.scoring
    if found.stopped:
        reason = "no_model" if found.stopped == {"unavailable"} else "over_budget"
        yield Trouble(Kind.SCORING, "evaluated", BOUGHT, found.stopped_at or facts.now, reason)
    # a run that failed is told by itself
    if found.missed and not any(one.details.get("job") == "score_days" for one in known):
        days = {"first": min(found.missed).isoformat(), "last": max(found.missed).isoformat()}
        yield Trouble(Kind.SCORING, "evaluated", SCORED, found.missed_since or facts.now, "not_scored", details=days)


def _disks(facts: Facts, known: Sequence[Incident], limits: AlertLimits) -> Iterable[Trouble]:
    standing = {one.fingerprint for one in known}
    for disk in facts.disks:
        trouble = Trouble(
            Kind.DISK, "platform", disk.place, facts.now, "filling", details={"percent": round(disk.percent)}
        )
        if disk.percent >= limits.disk_percent - (DISK_EASE if trouble.key in standing else 0):
            yield trouble


# --- runs -----------------------------------------------------------------------------------------------------------


def _runs(facts: Facts, known: Sequence[Incident]) -> Changes:
    """Plays the ended runs in their order over the open incidents: what failed and was made good between two looks
    opens nothing."""
    standing = {one.fingerprint: one for one in known if one.kind in RUN_KINDS}
    unwell = {source.connection_id: source.reason for source in facts.sources if source.status in UNWELL}
    opened: dict[str, Trouble] = {}
    again: dict[str, Trouble] = {}
    closed: list[Incident] = []
    for run in sorted(facts.runs, key=lambda run: run.ended_at):
        if run.succeeded:
            opened = {key: trouble for key, trouble in opened.items() if not _covers(run, trouble.details)}
            over = [one for key, one in standing.items() if _covers(run, _newest(again.get(key), one))]
            closed += over
            for one in over:
                del standing[one.fingerprint]
                again.pop(one.fingerprint, None)
        elif not _is_told_elsewhere(run, unwell):
            key = _run_key(run)
            before = opened.get(key) or again.get(key) or standing.get(key)
            trouble = _failed(run, key, before.details if before is not None else {})
            if key in standing:
                again[key] = trouble
            else:
                first = opened.get(key)
                opened[key] = trouble if first is None else _with_begin(trouble, first.since)
    return Changes(tuple(opened.values()), tuple((standing[key], one) for key, one in again.items()), tuple(closed))


def _newest(trouble: Trouble | None, incident: Incident) -> Mapping[str, Any]:
    return trouble.details if trouble is not None else incident.details


def _with_begin(trouble: Trouble, since: datetime) -> Trouble:
    return Trouble(
        trouble.kind, trouble.area, trouble.subject, since, trouble.reason, trouble.fingerprint, trouble.details
    )  # fmt: skip


def _is_told_elsewhere(run: Run, unwell: Mapping[str, str | None]) -> bool:
    if run.reason == BUSY and not run.is_scheduled:
        # started by a person while another run worked: he was told at once, and the other one does the work
        return True
    if run.connections:
        return set(run.connections) <= unwell.keys()
    return bool(run.reason) and run.reason in unwell.values()


def _run_key(run: Run) -> str:
    """Nightly failures of one job are one trouble, however many nights; a wish for certain days is its own."""
    if run.is_scheduled or run.first is None:
        return f"run:{run.job}"
    return f"run:{run.job}:{run.first}:{run.last}"


def _failed(run: Run, key: str, before: Mapping[str, Any]) -> Trouble:
    first, last = _widest(run, before)
    days = "" if first is None else f" {first}" if first == last else f" {first}..{last}"
    # all that the job has includes every part of it
    merged = run.assets | set(before.get("assets", ())) if run.assets and before.get("assets", True) else ()
    details = {
        "run_id": run.run_id,
        "job": run.job,
        "first": first,
        "last": last,
        "assets": sorted(merged),
        "connections": list(run.connections),
        "checks": list(run.failed_checks),
    }
    kind = Kind.CHECK_FAILED if run.failed_checks else Kind.RUN_FAILED
    return Trouble(kind, run.area, f"{run.job}{days}", run.ended_at, run.reason, key, details)


def _widest(run: Run, before: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The days of this failure and of those before it that nothing has made good."""
    if run.first is None or run.last is None:
        return before.get("first"), before.get("last")
    first, last = run.first.isoformat(), run.last.isoformat()
    return min(first, before.get("first") or first), max(last, before.get("last") or last)


def _covers(run: Run, failed: Mapping[str, Any]) -> bool:
    """Whether a run that came through did everything that had failed."""
    if run.job != failed.get("job"):
        return False
    if run.assets and not (failed.get("assets") and set(failed["assets"]) <= run.assets):
        return False
    if failed.get("first") is None:
        return True
    begin = run.covers_from or run.first
    return begin is not None and run.last is not None and (
        begin.isoformat() <= failed["first"] and failed["last"] <= run.last.isoformat()
    )  # fmt: skip
