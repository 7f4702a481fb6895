"""Incidents: one row from the beginning of a trouble to its end, and with each change its message in the outbox.

Here: reading what is open, writing what a look changes, how far runs were looked through. Not here: what is trouble
(``conversations.alerts``), the words (``conversations.messages.alerts``). A change, its message and the place up to
which was looked are one transaction: a watcher that is killed says nothing twice and misses nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg.types.json import Jsonb

from conversations.alerts import Changes, Incident, Kind, Trouble
from resources.warehouse.audit import record
from resources.warehouse.outbox import TELEGRAM, Message, queue

_LOCK = "select pg_try_advisory_lock(hashtextextended('otklik:watch', 0))"
_ROWS = (
    "select incident_id, kind, owner, subject, reason, details, since, opened_at, seen_at, times, closed_at"
    " from ops.incidents where (%(id)s::text is null or incident_id = %(id)s)"
    " and (%(id)s::text is not null or closed_at is null or closed_at >= %(closed_since)s)"
    " order by closed_at desc nulls first, opened_at desc, incident_id"
)


class Row(NamedTuple):
    """One incident as it is kept."""

    incident_id: str
    kind: Kind
    owner: str
    subject: str
    reason: str
    details: Mapping[str, Any]
    since: datetime
    opened_at: datetime
    seen_at: datetime
    times: int
    closed_at: datetime | None


class Teller(NamedTuple):
    """How people are told: three texts and one address, by the key of the owner."""

    opened: Callable[[Row], str]
    closed: Callable[[Row], str]
    passed: Callable[[Row], str]
    """The one message about what ended before anybody could be told."""
    recipient: Callable[[str], str]


def lock(connection: psycopg.Connection[Any]) -> bool:
    """Become the one who watches, for the life of the session; ``False``: another process does."""
    return connection.execute(_LOCK).fetchone() == (True,)


def known(connection: psycopg.Connection[Any]) -> list[Incident]:
    """The open incidents, oldest first."""
    rows = connection.execute(
        "select incident_id, fingerprint, kind, subject, details from ops.incidents where closed_at is null"
        " order by opened_at, incident_id"
    )
    return [Incident(one, fingerprint, Kind(kind), *rest) for one, fingerprint, kind, *rest in rows]


def rows(connection: psycopg.Connection[Any], *, closed_since: datetime | None = None) -> list[Row]:
    """The open incidents, with ``closed_since`` also those that ended after it; newest first."""
    found = connection.execute(_ROWS, {"id": None, "closed_since": closed_since})
    return [_row(row) for row in found]


def write(
    connection: psycopg.Connection[Any],
    changes: Changes,
    at: datetime,
    owner_of: Callable[[str], str],
    teller: Teller | None,
) -> None:
    """Write what a look changed; with a ``teller``, the messages as well. The caller commits.

    What opened while messages were off, or their key was away, is told as soon as there is a teller and it still lasts.
    The end of an incident is told to whom its beginning was told; nobody is told the end of what he never heard of.
    """
    for trouble in changes.opened:
        _open(connection, trouble, at, owner_of(trouble.area))
    for incident, trouble in changes.again:
        connection.execute(
            "update ops.incidents set seen_at = %s, times = times + 1, kind = %s, subject = %s, reason = %s,"
            " details = %s where incident_id = %s",
            (at, trouble.kind, trouble.subject, trouble.reason, Jsonb(dict(trouble.details)), incident.incident_id),
        )
    for incident in changes.closed:
        row = _close(connection, incident.incident_id, at)
        if row is not None and teller is not None:
            told = _told_to(connection, incident.incident_id)
            if told is not None:
                queue(connection, _ending(incident.incident_id, told, teller.closed(row)), at)
    if teller is not None:
        for row in _untold(connection):
            queue(connection, _opening(row.incident_id, teller.recipient(row.owner), teller.opened(row)), at)
    for trouble, over in changes.past:
        row = _open(connection, trouble, trouble.since, owner_of(trouble.area))
        ended = _close(connection, row.incident_id, over)
        if ended is not None and teller is not None:
            queue(connection, _opening(row.incident_id, teller.recipient(row.owner), teller.passed(ended)), at)


def close_by_hand(connection: psycopg.Connection[Any], incident_id: str, at: datetime) -> bool:
    """A person says that it is over; nobody is told. ``False``: no open incident of that id."""
    if _close(connection, incident_id, at) is None:
        return False
    record(connection, "close_incident", incident_id, at=at)
    return True


def seen(connection: psycopg.Connection[Any], what: str) -> tuple[dict[str, Any], datetime] | None:
    """How far something was looked through, and when; ``None``: never."""
    row = connection.execute("select seen, looked_at from ops.looks where what = %s", (what,)).fetchone()
    return (dict(row[0]), row[1]) if row is not None else None


def note_look(connection: psycopg.Connection[Any], what: str, place: Mapping[str, Any], at: datetime) -> None:
    """Remember how far something was looked through."""
    connection.execute(
        "insert into ops.looks (what, seen, looked_at) values (%s, %s, %s)"
        " on conflict (what) do update set seen = excluded.seen, looked_at = excluded.looked_at",
        (what, Jsonb(dict(place)), at),
    )


def _open(connection: psycopg.Connection[Any], trouble: Trouble, at: datetime, owner: str) -> Row:
    incident_id = secrets.token_hex(5)
    connection.execute(
        "insert into ops.incidents (incident_id, fingerprint, kind, owner, subject, reason, details, since, opened_at,"
        " seen_at, times) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1)",
        (
            incident_id,
            trouble.key,
            trouble.kind,
            owner,
            trouble.subject,
            trouble.reason,
            Jsonb(dict(trouble.details)),
            trouble.since,
            at,
            at,
        ),
    )
    return _read(connection, incident_id)


def _close(connection: psycopg.Connection[Any], incident_id: str, at: datetime) -> Row | None:
    closed = connection.execute(
        "update ops.incidents set closed_at = %s where incident_id = %s and closed_at is null", (at, incident_id)
    )
    return _read(connection, incident_id) if closed.rowcount == 1 else None


def _read(connection: psycopg.Connection[Any], incident_id: str) -> Row:
    row = connection.execute(_ROWS, {"id": incident_id, "closed_since": None}).fetchone()
    assert row is not None
    return _row(row)


def _row(row: tuple[Any, ...]) -> Row:
    incident_id, kind, *rest = row
    return Row(incident_id, Kind(kind), *rest)


def _opening(incident_id: str, recipient: str, body: str) -> Message:
    return Message(f"{incident_id}-open", TELEGRAM, recipient, body)


def _ending(incident_id: str, recipient: str, body: str) -> Message:
    return Message(f"{incident_id}-over", TELEGRAM, recipient, body)


def _told_to(connection: psycopg.Connection[Any], incident_id: str) -> str | None:
    found = connection.execute(
        "select recipient from ops.outbox where message_id = %s and state <> 'failed'", (f"{incident_id}-open",)
    ).fetchone()
    return found[0] if found is not None else None


def _untold(connection: psycopg.Connection[Any]) -> list[Row]:
    """The open incidents of which no message speaks yet, oldest first."""
    told = connection.execute(
        "select i.incident_id from ops.incidents as i join ops.outbox as o on o.message_id = i.incident_id || '-open'"
        " where i.closed_at is null"
    )
    known_to_people = {one for (one,) in told}
    return [row for row in rows(connection)[::-1] if row.incident_id not in known_to_people]
