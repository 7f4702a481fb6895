"""The edge of alerts: what the warehouse and the disk say, one look, and the sender of the outbox.

Here: reading, the transaction of a look, sending. Not here: what is trouble (``conversations.alerts``), what Dagster
says (``orchestration.alerts`` hands it in), how often (``otklik watch``).
"""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import psycopg

from conversations.alerts import Changes, Disk, Facts, Incident, Kind, Run, Source, judge, weeks_wanted
from conversations.messages import alerts as words
from conversations.policy import Policy
from resources.accounts import READ_VENDORS
from resources.clients.telegram import OF_THE_PICTURE, Outcome
from resources.digest import tell_missing_week
from resources.warehouse import incidents, outbox
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.scoring_state import scoring_state

log = logging.getLogger(__name__)

GROUP_PAUSE_SECONDS, PERSON_PAUSE_SECONDS = 3.1, 1.05
"""Telegram takes 20 messages a minute in a group and one a second in a chat."""
BUDGET_SECONDS = 45.0
"""Longest time of one delivery; the rest waits for the next look."""
_CODE = re.compile(r"\[(\w+)\]")


class Bot(Protocol):
    """What the sender needs of a messenger."""

    def send(self, chat_id: str, text: str) -> Outcome: ...

    def send_photo(self, chat_id: str, picture: bytes, caption: str) -> Outcome: ...


@dataclass(frozen=True)
class Seen:
    """What Dagster says."""

    runs: tuple[Run, ...] = ()
    place: Mapping[str, Any] | None = None
    """How far runs were looked through; ``None``: they could not be asked for."""
    silence: timedelta | None = None
    unseen: frozenset[Kind] = frozenset()


@dataclass(frozen=True)
class Looked:
    """What one look found."""

    is_busy: bool = False
    changes: Changes = field(default_factory=Changes)
    open_now: int = 0


@dataclass
class Delivered:
    """What one delivery came to."""

    is_busy: bool = False
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    postponed: int = 0
    refused: str | None = None
    """Why the bot itself is not let in, by its code."""


def look(
    warehouse: Warehouse,
    policy: Policy,
    now: datetime,
    ask_dagster: Callable[[Mapping[str, Any] | None], Seen],
    *,
    home: Path,
    operators_chat: str | None,
    ui_url: str | None = None,
    database_away: tuple[datetime, datetime] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Looked:
    """Look at everything once; write what changed and queue its messages, in one transaction.

    Args:
        now: The clock of the data: lateness and weeks are counted by it.
        ask_dagster: Gets how far runs were looked through before.
        operators_chat: Whom an owner without a chat is told by; ``None``: messages are off, incidents are still kept.
        clock: The machine's: when incidents began and ended.
    """
    with warehouse.connect("otklik-watch", autocommit=True) as session:
        if not incidents.lock(session):
            return Looked(is_busy=True)
        before, last = (incidents.seen(session, what) for what in ("runs", "platform"))
        if database_away is not None and last is not None and last[1] >= database_away[0]:
            # another watcher has looked meanwhile: it was not away so long, and he has told it
            database_away = None
        said = ask_dagster(before[0] if before is not None else None)
        with session.transaction():
            known = incidents.known(session)
            facts = gather(session, known, policy, now, home, said, database_away)
            changes = judge(facts, known, policy.alerts, policy.time_zone)
            at = clock()
            teller = None if operators_chat is None else _teller(policy, operators_chat, ui_url)
            incidents.write(session, changes, at, policy.owners.key_of, teller)  # type: ignore[arg-type]
            tell_missing_week(session, policy, changes, now, operators_chat, at)
            incidents.note_look(session, "platform", {}, at)
            if said.place is not None:
                incidents.note_look(session, "runs", said.place, at)
            fail_point("watch.before_commit")
        fail_point("watch.committed")
        for trouble in changes.opened:
            log.warning("incident opened: kind=%s reason=%s area=%s", trouble.kind, trouble.reason, trouble.area)
        for incident in changes.closed:
            log.info("incident closed: kind=%s id=%s", incident.kind, incident.incident_id)
        return Looked(changes=changes, open_now=len(known) + len(changes.opened) - len(changes.closed))


def gather(
    connection: psycopg.Connection[Any],
    known: list[Incident],
    policy: Policy,
    now: datetime,
    home: Path,
    said: Seen,
    database_away: tuple[datetime, datetime] | None = None,
) -> Facts:
    """The facts of one look: the warehouse's, the disk's, and what Dagster said."""
    wanted = weeks_wanted(now, known, policy.alerts, policy.time_zone)
    return Facts(
        now,
        sources=_sources(connection),
        judged_until=_judged_until(connection),
        published=_published(connection, wanted),
        runs=said.runs,
        silence=said.silence,
        disks=disks(home),
        scoring=scoring_state(connection, policy, now),
        database_away=database_away,
        unseen=said.unseen,
    )


def disks(home: Path) -> tuple[Disk, ...]:
    """How full the file system is that holds the home: the embedded database, logs, Dagster's files."""
    while not home.exists() and home != home.parent:
        home = home.parent
    usage = shutil.disk_usage(home)
    return (Disk(str(home), 100 * (1 - usage.free / usage.total)),)


def deliver(
    warehouse: Warehouse,
    bot: Bot,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    pause_of: Callable[[str], float] | None = None,
    budget_seconds: float = BUDGET_SECONDS,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Delivered:
    """Send what is queued, oldest first, until nothing may be sent now, the time is over or the process is to
    stop (promise D7).

    Each message is ``sending`` in a committed row before the one call that sends it; what the call proves is written
    after it. Killed in between, the next sender finds it and calls it ``unknown``.
    """
    done, pause_of, deadline = Delivered(), pause_of or pause, time.monotonic() + budget_seconds
    last: dict[str, float] = {}
    with warehouse.connect("otklik-sender", autocommit=True) as session:
        if not outbox.lock(session, outbox.TELEGRAM):
            done.is_busy = True
            return done
        with session.transaction():
            done.unknown += outbox.recover(session, outbox.TELEGRAM, clock())
            done.failed += outbox.expire(session, outbox.TELEGRAM, clock())
        while time.monotonic() < deadline and done.refused is None and not is_stopping():
            with session.transaction():
                letter = outbox.take(session, outbox.TELEGRAM, clock())
            if letter is None:
                break
            fail_point("outbox.taken")
            _wait_for_turn(letter.recipient, last, pause_of, sleep)
            outcome = _send(bot, letter)
            fail_point("outbox.answered")
            with session.transaction():
                _settle(session, letter, outcome, clock(), done)
            fail_point("outbox.settled")
            if outcome.state != "sent":
                log.warning("message %s: state=%s reason=%s", letter.message_id, outcome.state, outcome.reason)
        outbox.unlock(session, outbox.TELEGRAM)
    return done


def pause(recipient: str) -> float:
    """Seconds between two messages to one chat; the ids of groups and channels are negative or names."""
    return GROUP_PAUSE_SECONDS if recipient.startswith(("-", "@")) else PERSON_PAUSE_SECONDS


def _wait_for_turn(
    recipient: str, last: dict[str, float], pause_of: Callable[[str], float], sleep: Callable[[float], None]
) -> None:
    if recipient in last:
        left = last[recipient] + pause_of(recipient) - time.monotonic()
        if left > 0:
            sleep(left)
    last[recipient] = time.monotonic()


def _send(bot: Bot, letter: outbox.Letter) -> Outcome:
    if letter.picture is None:
        return bot.send(letter.recipient, letter.body)
    return bot.send_photo(letter.recipient, letter.picture, letter.body)


def _settle(
    session: psycopg.Connection[Any], letter: outbox.Letter, outcome: Outcome, at: datetime, done: Delivered
) -> None:
    if outcome.state == "later":
        not_before = at + timedelta(seconds=outcome.wait_seconds)
        reason = outcome.reason or "later"
        outbox.postpone(session, letter, reason, not_before, moved_to=outcome.moved_to)
        done.postponed += 1
        if reason in ("needs_auth", "wrong_host", "not_reached"):
            # the same would happen to every other message now
            done.refused = reason
        return
    if outcome.state == "failed" and letter.picture is not None and outcome.reason in OF_THE_PICTURE:
        # refused, so not delivered: better the figures without their picture than neither
        outbox.without_picture(session, letter, outcome.reason or "")
        done.postponed += 1
        return
    outbox.settle(session, letter, outcome.state, at, reason=outcome.reason, external_id=outcome.external_id)
    setattr(done, outcome.state, getattr(done, outcome.state) + 1)


def _teller(policy: Policy, operators_chat: str, ui_url: str | None) -> incidents.Teller:
    zone = policy.time_zone

    def alert(row: incidents.Row) -> words.Alert:
        return words.Alert(row.kind, row.subject, row.reason, row.since, row.details)

    return incidents.Teller(
        opened=lambda row: words.opened(alert(row), policy.owners.named(row.owner).name, zone, ui_url),
        closed=lambda row: words.closed(alert(row), row.closed_at or row.seen_at, zone),
        passed=lambda row: words.passed(
            alert(row), row.closed_at or row.seen_at, policy.owners.named(row.owner).name, zone
        ),
        recipient=lambda owner: policy.owners.named(owner).chat or operators_chat,
    )


def _sources(connection: psycopg.Connection[Any]) -> tuple[Source, ...]:
    rows = connection.execute(
        "select connection_id, vendor, status, reason, checked_at, synced_at, created_at from ops.connections"
        " where disabled_at is null order by created_at, connection_id"
    )
    return tuple(
        Source(one, vendor, vendor in READ_VENDORS, status, _code(reason), checked_at, synced_at, created_at)
        for one, vendor, status, reason, checked_at, synced_at, created_at in rows
    )


def _judged_until(connection: psycopg.Connection[Any]) -> datetime | None:
    """Up to when every account is judged, by the one that is furthest behind; ``None``: no account.

    What was connected a short time ago has only begun, however old the days are that were loaded first.
    """
    row = connection.execute(
        "select min(greatest(a.as_of, c.created_at)) from ops.connections as c"
        " left join ops.as_of as a on a.scope = c.connection_id"
        " where c.disabled_at is null and c.vendor = any(%s)",
        (list(READ_VENDORS),),
    ).fetchone()
    return row[0] if row is not None else None


def _code(reason: str | None) -> str | None:
    """``needs_auth`` of ``[needs_auth] the key was refused``."""
    found = _CODE.match(reason or "")
    return found[1] if found is not None else None


def _published(connection: psycopg.Connection[Any], weeks: frozenset[str]) -> frozenset[str]:
    there = connection.execute("select to_regclass('marts.data_status') is not null").fetchone()
    if there != (True,):
        return frozenset()
    rows = connection.execute("select distinct week from marts.data_status where week = any(%s)", (sorted(weeks),))
    return frozenset(week for (week,) in rows)
