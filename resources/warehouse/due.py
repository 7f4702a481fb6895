"""Which customers have to be judged again, and from which instant on.

Here: the temporary tables ``due`` (one row per customer, several ids of one human being one) and ``due_chat`` (one row
per chat of his, those of other connections included) of the refresh's transaction. Not here: the judgement
(``resources.warehouse.refresh``), the rule of where it may begin (``conversations.restart``), how a change in one
connection becomes a mark in another (``resources.warehouse.neighbours``).

A customer is due because of

- ``ops.dirty``: rows of his conversations changed in core since they were last judged, here or in another connection;
- a wait without an outcome or a session that goes on, when ``as_of`` has moved;
- sessions in the window that were judged by another policy, definition or lexicon;
- the first run of a connection, which judges everybody, marked or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

import psycopg

from conversations.restart import Carry, find_restart
from conversations.timeline import Session, Wait
from conversations.window import Window
from resources.warehouse.evaluated_rows import SESSIONS, WAITS, Stamp, epoch

_BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
_END = datetime(9000, 1, 1, tzinfo=UTC)
FETCH_ROWS = 20_000
"""Rows that are asked for at a time: bounds memory whatever the history."""

# A chat of nobody is a contact by itself, in "chat": ids of customers and of chats look alike (RetailCRM numbers both),
# so its contact is no bare id.
# Lists are ordered by customer in collation "C", the order of Python's strings, to be walked side by side. The columns
# keep the database's collation: with another one the indexes of core and evaluated could not serve the joins.
_TABLES = """
create temp table due (contact text primary key, chat text, changed_from timestamptz not null) on commit drop;
create temp table due_chat (
    contact text not null, conversation_id text primary key, is_own boolean not null,
    restart_at timestamptz, read_after timestamptz, read_after_id text
) on commit drop
"""

_FIND_DUE = """
with changed as (
    delete from ops.dirty where connection_id = %(connection)s and since <= %(now)s and (is_told or %(told)s)
    returning conversation_id, since
),
reasons as (
    select conversation_id, since from changed
    union all
    select conversation_id, since from ops.dirty
    where connection_id = %(connection)s and since <= %(now)s and not (is_told or %(told)s)
    union all
    select conversation_id, %(known_to)s from evaluated.waits
    where outcome = 'pending' and connection_id = %(connection)s and %(moved)s
    union all
    select conversation_id, %(known_to)s from evaluated.sessions
    where ended_at is null and connection_id = %(connection)s and %(moved)s
    union all
    select conversation_id, started_at from evaluated.sessions
    where connection_id = %(connection)s and (definition_version, policy_hash) <> (%(version)s, %(policy)s)
      and started_at < %(end)s and ended_at is null
    union all
    select conversation_id, started_at from evaluated.sessions
    where connection_id = %(connection)s and (definition_version, policy_hash) <> (%(version)s, %(policy)s)
      and started_at < %(end)s and ended_at >= %(start)s
      -- what the index is by; the week is a local one, so a day may lie between
      and ended_week >= to_char(%(start)s::timestamptz - interval '1 day', 'IYYY-"W"IW')
    union all
    select b.conversation_id, s.started_at
    from evaluated.behaviour as b join evaluated.sessions as s on s.session_id = b.session_id
    where b.connection_id = %(connection)s and b.lexicon_hash <> %(lexicon)s
      and b.ended_at >= %(start)s and s.started_at < %(end)s
    union all
    select conversation_id, %(known_to)s from core.conversations where connection_id = %(connection)s and %(first)s
)
insert into due
select
    coalesce(l.same_as, c.customer_id, 'chat ' || c.conversation_id),
    min(c.conversation_id) filter (where c.customer_id is null), least(min(r.since), %(known_to)s)
from reasons as r
join core.conversations as c on c.conversation_id = r.conversation_id
left join reference.customer_links as l on l.customer_id = c.customer_id
group by 1
"""

_FIND_CHATS = """
insert into due_chat (contact, conversation_id, is_own)
select d.contact, c.conversation_id, c.connection_id = %(connection)s
from due as d join core.conversations as c on c.customer_id = d.contact
union all
select d.contact, c.conversation_id, c.connection_id = %(connection)s
from due as d
join reference.customer_links as l on l.same_as = d.contact
join core.conversations as c on c.customer_id = l.customer_id
union all
select d.contact, c.conversation_id, true
from due as d join core.conversations as c on c.conversation_id = d.chat and c.customer_id is null
"""

_SESSIONS = f"""
select d.contact, {SESSIONS.fields}
from due_chat as d join evaluated.sessions as r on r.conversation_id = d.conversation_id order by d.contact collate "C"
"""  # noqa: S608 - names of our own columns
_UNANSWERED = f"""
select d.contact, {WAITS.fields}
from due_chat as d join evaluated.waits as r on r.conversation_id = d.conversation_id
where r.outcome in ('no_reply', 'window_expired') order by d.contact collate "C"
"""  # noqa: S608 - names of our own columns
# Chats of two connections were judged as of different instants, maybe one of them before what the other has seen: what
# is stored of one says nothing certain about the other, so such a human is read whole, as where time does not order.
_CHANGED = f"""
select contact, {epoch("changed_from")}, exists (
    select from due_chat as d join core.messages as m on m.conversation_id = d.conversation_id
    where d.contact = due.contact and m.source_seq is not null)
    or exists (select from due_chat as d where d.contact = due.contact and not d.is_own)
from due order by contact collate "C"
"""  # noqa: S608 - names of our own columns


@dataclass(frozen=True)
class Scope:
    """What one refresh is about."""

    connection_id: str
    window: Window | None
    """Sessions that touch it are judged again where other rules judged them; ``None``: all."""
    before: datetime | None
    """The as-of instant of the former run; ``None``: nothing was judged yet."""
    now: datetime
    """The as-of instant of this run."""
    early_delete_seconds: int
    stamp: Stamp
    lexicon_hash: str
    is_told: bool = True
    """False: other connections of the humans do not know yet what changed here, so its marks stay for a later run."""


def find_due(connection: psycopg.Connection[Any], scope: Scope) -> None:
    """Fill ``due`` and ``due_chat``, and take the marks of ``ops.dirty`` that this transaction settles."""
    connection.execute(_TABLES)
    # a manager's deletion that was not visible at the former as_of can still take effect (conversations.restart)
    early = timedelta(seconds=scope.early_delete_seconds)
    connection.execute(
        _FIND_DUE,
        {
            "connection": scope.connection_id,
            "now": scope.now,
            "told": scope.is_told,
            "known_to": _BEGINNING if scope.before is None else scope.before - early,
            "first": scope.before is None,
            "moved": scope.before is not None and scope.before < scope.now,
            "version": scope.stamp.definition_version,
            "policy": scope.stamp.policy_hash,
            "lexicon": scope.lexicon_hash,
            "start": _BEGINNING if scope.window is None else scope.window.start,
            "end": _END if scope.window is None else scope.window.end,
        },
    )
    connection.execute(_FIND_CHATS, {"connection": scope.connection_id})
    connection.execute("analyze due")
    connection.execute("analyze due_chat")


def find_restarts(connection: psycopg.Connection[Any]) -> dict[str, Carry]:
    """Say in ``due_chat`` from where each chat is read; give what must be known of the time before, by customer."""
    sessions = Side(connection, "sessions", _SESSIONS, contact_at=0)
    unanswered = Side(connection, "unanswered", _UNANSWERED, contact_at=0)
    carries: dict[str, Carry] = {}
    starts: list[tuple[str, int, str | None, int | None, str | None]] = []
    for contact, changed_from, is_read_whole in connection.execute(_CHANGED).fetchall():
        stored = [Session._make(row[1:]) for row in sessions.of(contact)]
        waits = [Wait._make(row[1:]) for row in unanswered.of(contact)]
        if not stored or is_read_whole:
            continue
        restart = find_restart(stored, waits, changed_from)
        if restart is None:
            continue
        carries[contact] = restart.carry
        starts.append((contact, restart.at, None, None, None))
        starts += [(contact, restart.at, chat, at, last) for chat, (at, last) in restart.read_after.items()]
    _store(connection, starts)
    return carries


def _store(connection: psycopg.Connection[Any], starts: Sequence[tuple[Any, ...]]) -> None:
    connection.execute(
        "create temp table due_start (contact text, restart_at int8, conversation_id text, read_after int8,"
        " read_after_id text) on commit drop"
    )
    with connection.cursor() as cursor, cursor.copy("copy due_start from stdin") as copy:
        for start in starts:
            copy.write_row(start)
    instant = "timestamptz 'epoch' + {} * interval '1 microsecond'"
    connection.execute(
        f"update due_chat as d set restart_at = {instant.format('s.restart_at')} from due_start as s"  # noqa: S608
        " where s.conversation_id is null and s.contact = d.contact"
    )
    connection.execute(
        f"update due_chat as d set read_after = {instant.format('s.read_after')},"  # noqa: S608
        " read_after_id = s.read_after_id from due_start as s where s.conversation_id = d.conversation_id"
    )


class Side:
    """Rows of one query that is ordered by customer, walked beside other such lists customer by customer."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        name: str,
        query: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        contact_at: int,
    ) -> None:
        """``contact_at``: which column is the customer."""
        cursor = psycopg.ServerCursor(connection, name)
        cursor.execute(query, parameters, binary=True)
        self._groups = groupby(_rows(cursor), itemgetter(contact_at))
        self._contact, self._rows = next(self._groups, _NOBODY)

    def __iter__(self) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
        """Every customer in order, with his rows."""
        while self._contact is not None:
            yield self._contact, self._rows
            self._contact, self._rows = next(self._groups, _NOBODY)

    def of(self, contact: str) -> Iterator[tuple[Any, ...]]:
        """The rows of ``contact``; customers are asked for in order, each once."""
        while self._contact is not None and self._contact < contact:
            self._contact, self._rows = next(self._groups, _NOBODY)
        return self._rows if self._contact == contact else iter(())


_NOBODY: tuple[None, Iterator[tuple[Any, ...]]] = (None, iter(()))


def _rows(cursor: psycopg.ServerCursor[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(iter(lambda: cursor.fetchmany(FETCH_ROWS), []))
