"""Messages to people, written before they are sent: nothing is said twice, nothing is lost (promises P6, D7).

    queued ──> sending ──> sent
      ^           │  ├───> failed    refused for good, or too old
      │           │  └───> unknown   it may have been delivered: only a person repeats it
      └───────────┘  certainly not delivered

Here: the rows and their states; each function takes a session and the caller commits. Not here: the call between
``take`` and ``settle`` (``resources.alerts``). ``sending`` is committed before the call; whoever finds it later finds
a sender that died, and cannot know what it had done.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, TypeAlias

import psycopg

from resources.warehouse.audit import record

Settled: TypeAlias = Literal["sent", "failed", "unknown"]
TELEGRAM = "telegram"
OLDEST = timedelta(hours=24)
"""A message that could not be delivered for so long is not news any more, unless what it tells of still lasts."""
OLDEST_DIGEST = timedelta(days=6)
"""Monday's digest (ids that begin with ``digest:``) is news until the next one."""
OVERTAKEN = "overtaken"
_LOCK = "select pg_try_advisory_lock(hashtextextended('otklik:outbox:' || %s, 0))"
_UNLOCK = "select pg_advisory_unlock(hashtextextended('otklik:outbox:' || %s, 0))"


class Message(NamedTuple):
    """What is to be said. The same ``message_id`` again is the same message."""

    message_id: str
    channel: str
    recipient: str
    body: str
    picture: bytes | None = None
    """A PNG; the text is its caption."""


class Letter(NamedTuple):
    """A message that this sender has taken."""

    message_id: str
    recipient: str
    body: str
    attempts: int
    created_at: datetime
    picture: bytes | None = None


class Entry(NamedTuple):
    """A message as people are shown it; without its text."""

    message_id: str
    channel: str
    recipient: str
    state: str
    attempts: int
    reason: str | None
    created_at: datetime
    settled_at: datetime | None


def lock(connection: psycopg.Connection[Any], channel: str) -> bool:
    """Become the one sender of a channel for the life of the session; ``False``: another one is at work.

    Without it a second sender would take a living one's letters for a dead one's.
    """
    return connection.execute(_LOCK, (channel,)).fetchone() == (True,)


def unlock(connection: psycopg.Connection[Any], channel: str) -> None:
    """Let the next sender work."""
    connection.execute(_UNLOCK, (channel,))


def queue(connection: psycopg.Connection[Any], message: Message, at: datetime) -> bool:
    """Write a message down; ``False`` when it is there already, in whatever state."""
    done = connection.execute(
        "insert into ops.outbox (message_id, channel, recipient, body, picture, state, attempts, created_at)"
        " values (%s, %s, %s, %s, %s, 'queued', 0, %s) on conflict (message_id) do nothing",
        (*message, at),
    )
    return done.rowcount == 1


def recover(connection: psycopg.Connection[Any], channel: str, at: datetime) -> int:
    """What a dead sender left in ``sending`` becomes ``unknown``; only for the holder of ``lock``."""
    return connection.execute(
        "update ops.outbox set state = 'unknown', reason = 'sender_died', settled_at = %s"
        " where channel = %s and state = 'sending'",
        (at, channel),
    ).rowcount


def expire(connection: psycopg.Connection[Any], channel: str, at: datetime) -> int:
    """What has waited too long is given up; its last reason stays. The beginning of an incident that lasts waits on."""
    return connection.execute(
        "update ops.outbox as o set state = 'failed', reason = coalesce(reason, 'expired'), settled_at = %s,"
        " not_before = null where channel = %s and state = 'queued'"
        " and created_at < case when starts_with(message_id, 'digest:') then %s else %s end"
        " and not exists (select from ops.incidents as i"
        " where i.closed_at is null and o.message_id = i.incident_id || '-open')",
        (at, channel, at - OLDEST_DIGEST, at - OLDEST),
    ).rowcount


def take(connection: psycopg.Connection[Any], channel: str, at: datetime) -> Letter | None:
    """The oldest message that may be sent, now ``sending``; to be committed before the call.

    What waits holds back the younger messages to the same recipient: an end is not told before its beginning.
    """
    row = connection.execute(
        "update ops.outbox set state = 'sending', attempts = attempts + 1, not_before = null, settled_at = null"
        " where message_id = ("
        " select o.message_id from ops.outbox o where o.channel = %(channel)s and o.state = 'queued'"
        " and (o.not_before is null or o.not_before <= %(at)s) and not exists (select from ops.outbox older"
        " where older.channel = o.channel and older.recipient = o.recipient and older.state = 'queued'"
        " and (older.created_at, older.message_id) < (o.created_at, o.message_id))"
        " order by o.created_at, o.message_id limit 1 for update)"
        " returning message_id, recipient, body, attempts, created_at, picture",
        {"channel": channel, "at": at},
    ).fetchone()
    return Letter(*row) if row is not None else None


def settle(
    connection: psycopg.Connection[Any],
    letter: Letter,
    state: Settled,
    at: datetime,
    *,
    reason: str | None = None,
    external_id: str | None = None,
) -> bool:
    """Write down how it ended; ``False`` when somebody else has judged it meanwhile."""
    done = connection.execute(
        "update ops.outbox set state = %s, reason = %s, external_id = %s, settled_at = %s"
        " where message_id = %s and state = 'sending' and attempts = %s",
        (state, reason, external_id, at, letter.message_id, letter.attempts),
    )
    return done.rowcount == 1


def postpone(
    connection: psycopg.Connection[Any],
    letter: Letter,
    reason: str,
    not_before: datetime,
    *,
    moved_to: str | None = None,
) -> bool:
    """Back into the queue: only for what was certainly not delivered. ``moved_to`` is the chat's new id."""
    done = connection.execute(
        "update ops.outbox set state = 'queued', reason = %s, not_before = %s, recipient = coalesce(%s, recipient)"
        " where message_id = %s and state = 'sending' and attempts = %s",
        (reason, not_before, moved_to, letter.message_id, letter.attempts),
    )
    return done.rowcount == 1


def without_picture(connection: psycopg.Connection[Any], letter: Letter, reason: str) -> bool:
    """Back into the queue as a text alone: only for what was refused for its picture, so certainly not delivered."""
    done = connection.execute(
        "update ops.outbox set state = 'queued', reason = %s, picture = null"
        " where message_id = %s and state = 'sending' and attempts = %s",
        (reason, letter.message_id, letter.attempts),
    )
    return done.rowcount == 1


def overtake(connection: psycopg.Connection[Any], message_id: str, at: datetime) -> bool:
    """Give up a message that something newer has made pointless, if it still waits in the queue."""
    done = connection.execute(
        "update ops.outbox set state = 'failed', reason = %s, settled_at = %s, not_before = null"
        " where message_id = %s and state = 'queued'",
        (OVERTAKEN, at, message_id),
    )
    return done.rowcount == 1


def resend(connection: psycopg.Connection[Any], message_id: str, at: datetime, *, actor: str | None = None) -> str:
    """A person's decision to send once more what failed or may not have arrived.

    Returns:
        The state that it was found in; only ``failed`` and ``unknown`` are queued again. Empty: no such message.
    """
    row = connection.execute(
        "select state from ops.outbox where message_id = %s for update", (message_id,)
    ).fetchone()  # fmt: skip
    if row is None:
        return ""
    if row[0] in ("failed", "unknown"):
        connection.execute(
            "update ops.outbox set state = 'queued', reason = null, not_before = null, settled_at = null,"
            " created_at = %s where message_id = %s",
            (at, message_id),
        )
        record(connection, "resend", message_id, actor=actor, at=at)
    return str(row[0])


def entries(connection: psycopg.Connection[Any], *, since: datetime | None = None) -> list[Entry]:
    """Messages that a person may have to look at: not sent for certain; with ``since``, all from then on, too."""
    rows = connection.execute(
        "select message_id, channel, recipient, state, attempts, reason, created_at, settled_at from ops.outbox"
        " where (state <> 'sent' and reason is distinct from 'overtaken') or created_at >= %s"
        " order by created_at desc, message_id",
        (since,),
    )
    return [Entry(*row) for row in rows]
