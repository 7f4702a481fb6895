"""From core to evaluated: judge again the customers for whom something changed, and nobody else.

Here: the one transaction that reads them, has them judged and replaces their rows. Not here: who they are
(``resources.warehouse.due``), the rules (``conversations.evaluate``), how rows travel
(``resources.warehouse.evaluated_rows``).

The cost of a day follows from what happened on it, not from the length of the history, and a second run with the same
input finds nobody due and writes nothing.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg

from conversations.evaluate import Rules, compile_policy, evaluate
from conversations.lexicon import Lexicon
from conversations.parsing.flags import OUT_OF_WAITS
from conversations.policy import DEFINITION_VERSION, Policy
from conversations.restart import Carry
from conversations.timeline import SECOND, Chat, Contact, Evaluation, Instant, TimedEvent, TimedMessage
from conversations.window import Window
from conversations.words import Words
from resources.warehouse.due import Scope, Side, find_due, find_restarts
from resources.warehouse.engine import Warehouse
from resources.warehouse.evaluated_rows import (
    EVENT_FIELDS,
    LEFT_WAITING,
    MESSAGE_FIELDS,
    TABLES,
    Days,
    Origin,
    Stamp,
)
from resources.warehouse.failpoints import fail_point
from resources.warehouse.neighbours import judging_lock

FLUSH_ROWS = 20_000
"""Rows of a table that are written at a time: bounds memory whatever the history."""


@dataclass(frozen=True)
class RefreshCounts:
    """What one refresh did: customers judged, messages read, rows written."""

    as_of: datetime
    contacts: int = 0
    messages: int = 0
    waits: int = 0
    sessions: int = 0
    left_waiting: int = 0
    behaviour: int = 0
    advice: int = 0


Progress = Callable[[RefreshCounts], None]


def refresh_evaluated(
    warehouse: Warehouse,
    policy: Policy,
    window: Window | None,
    as_of: datetime | None = None,
    *,
    connection_id: str,
    lexicon: Lexicon | None = None,
    progress: Progress | None = None,
) -> RefreshCounts:
    """Bring ``evaluated`` up to date with ``core`` for one connection.

    A human who has chats in other connections as well is judged by all of them, and his chats of this connection get
    their rows; those of the others get theirs when those are judged, as of their own instants.

    Args:
        window: sessions that began in it are judged again where they were judged by other rules or lexicons; ``None``:
            all.
        as_of: the instant that "not yet answered" is judged at; without it, the end of the window. It never moves
            back: with an earlier one than a former run had, that run's holds.
        lexicon: what reads the messages; ``None``: the lexicons that come with the product.
        progress: called after each written batch.

    Raises:
        Busy: another process writes core or evaluated rows of the connection.
        ValueError: neither ``as_of`` nor ``window`` is given.
    """
    if as_of is None:
        if window is None:
            raise ValueError("without a window, say as of when")
        as_of = window.end
    stamp = Stamp(DEFINITION_VERSION, policy.hash)
    words = Words(lexicon or Lexicon.default())
    with (
        warehouse.connect("otklik refresh", autocommit=True) as connection,
        judging_lock(connection, connection_id) as is_told,
    ):
        with connection.transaction():
            before, now = _advance(connection, connection_id, as_of)
            early = policy.early_delete_seconds
            find_due(connection, Scope(connection_id, window, before, now, early, stamp, words.hash, is_told))
            carries = find_restarts(connection)
            _delete_what_is_replaced(connection)
            fail_point("evaluated.staged")
            rules = compile_policy(policy, _manager_teams(connection))
            judged = _judged(connection, rules, words, _instant(now), carries)
            batch = _Batch(connection, connection_id, Days(policy.time_zone), stamp, RefreshCounts(now), progress)
            with _without_collector():
                for chats, messages, evaluation in judged:
                    batch.add(chats, messages, evaluation)
                batch.flush()
            _mark_what_was_not_seen(connection, connection_id, now)
            fail_point("evaluated.before_commit")
        fail_point("evaluated.committed")
    return batch.counts


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Judging makes no reference cycles, so there is nothing to find; looking took a sixth of the time (measured)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _advance(connection: psycopg.Connection[Any], scope: str, as_of: datetime) -> tuple[datetime | None, datetime]:
    """The as-of instant of the former run and of this one."""
    found = connection.execute("select as_of from ops.as_of where scope = %s", (scope,)).fetchone()
    before = None if found is None else found[0]
    if before is not None and before >= as_of:
        return before, before
    connection.execute(
        "insert into ops.as_of (scope, as_of) values (%s, %s) on conflict (scope) do update set as_of = excluded.as_of",
        (scope, as_of),
    )
    return before, as_of


def _delete_what_is_replaced(connection: psycopg.Connection[Any]) -> None:
    """Sessions of our own chats that began at the restart or later, with everything that belongs to them."""
    connection.execute(
        "create temp table replaced on commit drop as select s.session_id from due_chat as d"
        " join evaluated.sessions as s on s.conversation_id = d.conversation_id"
        " where d.is_own and (d.restart_at is null or s.started_at >= d.restart_at)"
    )
    connection.execute("analyze replaced")
    connection.execute(
        "delete from evaluated.left_waiting as l using evaluated.waits as w, replaced as r"
        " where l.wait_id = w.wait_id and w.session_id = r.session_id and w.conversation_id = l.conversation_id"
    )
    connection.execute(
        "delete from evaluated.waits as w using due_chat as d, replaced as r"
        " where w.conversation_id = d.conversation_id and w.session_id = r.session_id"
    )
    connection.execute(
        "delete from evaluated.advice as a using due_chat as d, replaced as r"
        " where a.conversation_id = d.conversation_id and a.session_id = r.session_id"
    )
    connection.execute("delete from evaluated.behaviour as b using replaced as r where b.session_id = r.session_id")
    connection.execute("delete from evaluated.sessions as s using replaced as r where s.session_id = r.session_id")


def _manager_teams(connection: psycopg.Connection[Any]) -> dict[str, str | None]:
    """Of every connection: a person may have accounts in several, and one of them may say his team."""
    return dict(connection.execute("select manager_id, team_id from core.managers").fetchall())


_CHATS = """
select d.contact, c.conversation_id, c.channel_id, coalesce(h.kind, ''), c.is_untimed, c.customer_id, d.is_own
from due_chat as d
join core.conversations as c on c.conversation_id = d.conversation_id
left join core.channels as h on h.channel_id = c.channel_id
order by d.contact collate "C"
"""
# Each way in is a branch of its own: an "or" would keep the index from bounding what is read of a long chat.
_MESSAGES = f"""
select {MESSAGE_FIELDS}, d.contact collate "C" as contact
from due_chat as d join core.messages as m on m.conversation_id = d.conversation_id
where d.read_after is null and not m.flags && %(out)s
union all
select {MESSAGE_FIELDS}, d.contact collate "C"
from due_chat as d join core.messages as m on m.conversation_id = d.conversation_id and m.sent_at >= d.read_after
where (m.sent_at > d.read_after or m.message_id collate "C" > d.read_after_id collate "C") and not m.flags && %(out)s
union all
select {MESSAGE_FIELDS}, d.contact collate "C"
from due_chat as d join core.messages as m on m.conversation_id = d.conversation_id and m.sent_at is null
where d.read_after is not null and not m.flags && %(out)s
order by contact, conversation_id, 4
"""  # noqa: S608 - names of our own columns
_EVENTS = f"""
select {EVENT_FIELDS}, d.contact collate "C" as contact
from due_chat as d
join core.events as e on e.conversation_id = d.conversation_id and e.at >= coalesce(d.restart_at, '-infinity')
union all
select {EVENT_FIELDS}, d.contact collate "C"
from due_chat as d cross join lateral (
    select * from core.events as earlier
    where earlier.conversation_id = d.conversation_id and earlier.kind = 'assigned' and earlier.at < d.restart_at
    order by earlier.at desc, earlier.event_id collate "C" desc limit 1) as e
order by contact
"""  # noqa: S608 - names of our own columns

_Judged = tuple[list[tuple[Any, ...]], int, Evaluation]


def _judged(
    connection: psycopg.Connection[Any], rules: Rules, words: Words, as_of: Instant, carries: Mapping[str, Carry]
) -> Iterator[_Judged]:
    """Each due customer: the rows of his chats, how many messages were read, the judgement."""
    chats = Side(connection, "chats", _CHATS, contact_at=0)
    messages = Side(
        connection, "messages", _MESSAGES, {"out": list(OUT_OF_WAITS)}, contact_at=len(TimedMessage._fields)
    )
    events = Side(connection, "events", _EVENTS, contact_at=len(TimedEvent._fields))
    make_message, make_event = TimedMessage._make, TimedEvent._make
    for contact, rows in chats:
        known = list(rows)
        heard = [make_message(row[:-1]) for row in messages.of(contact)]
        happened = [make_event(row[:-1]) for row in events.of(contact)]
        found = Contact(tuple(Chat(*row[1:5]) for row in known), heard, happened)
        yield known, len(heard), evaluate(found, rules, as_of, carries.get(contact), words)


class _Batch:
    """Results on their way into the tables: flushed often, counted."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        connection_id: str,
        days: Days,
        stamp: Stamp,
        counts: RefreshCounts,
        progress: Progress | None,
    ) -> None:
        self._connection = connection
        self._connection_id = connection_id
        self._days = days
        self._stamp = stamp
        self._progress = progress
        self.counts = counts
        self._contacts = self._messages = 0
        self._rows: dict[str, list[list[Any]]] = {table.name: [] for table in TABLES}

    def add(self, chats: list[tuple[Any, ...]], messages: int, evaluation: Evaluation) -> None:
        """Take one customer's results, those of our own chats."""
        days, stamp, rows = self._days, self._stamp, self._rows
        origins = {chat[1]: Origin(chat[1], self._connection_id, chat[2], chat[5]) for chat in chats if chat[6]}
        if len(origins) < len(chats):
            evaluation = _only(evaluation, origins)
        for table in TABLES:
            results = getattr(evaluation, table.name)
            if results and table is not LEFT_WAITING:
                rows[table.name] += [table.row(one, origins[one.conversation_id], days, stamp) for one in results]
        if evaluation.left_waiting:
            chat_of = {wait.wait_id: wait.conversation_id for wait in evaluation.waits}
            rows["left_waiting"] += [
                LEFT_WAITING.row(left, origins[chat_of[left.wait_id]], days, stamp) for left in evaluation.left_waiting
            ]
        self._contacts += 1
        self._messages += messages
        if max(map(len, rows.values())) >= FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        rows, before = self._rows, self.counts
        for table in TABLES:
            table.copy(self._connection, rows[table.name])
        self.counts = replace(
            before,
            contacts=before.contacts + self._contacts,
            messages=before.messages + self._messages,
            **{name: getattr(before, name) + len(collected) for name, collected in rows.items()},
        )
        self._contacts = self._messages = 0
        for collected in rows.values():
            collected.clear()
        if self._progress is not None:
            self._progress(self.counts)


def _only(evaluation: Evaluation, chats: Container[str]) -> Evaluation:
    """What was found of these chats."""
    waits, sessions, left, behaviour, advice = evaluation
    own = [wait for wait in waits if wait.conversation_id in chats]
    ids = {wait.wait_id for wait in own}
    return Evaluation(
        own,
        [one for one in sessions if one.conversation_id in chats],
        [one for one in left if one.wait_id in ids],
        [one for one in behaviour if one.conversation_id in chats],
        [one for one in advice if one.conversation_id in chats],
    )


# What is dated after ``as_of`` in a chat of another connection concerns the human's chats of this one when it is judged
# up to there; nobody will tell again. A deletion is seen from its own instant on.
_NOT_SEEN = """
with later as (
    select m.conversation_id, m.sent_at as at from core.messages as m
    where m.connection_id = %(connection)s and m.sent_at > %(now)s
    union all
    select e.conversation_id, e.at from core.events as e
    where e.connection_id = %(connection)s and e.at > %(now)s
),
elsewhere as (
    select d.contact, m.sent_at as at
    from due_chat as d join core.messages as m on m.conversation_id = d.conversation_id and m.sent_at > %(now)s
    where not d.is_own
    union all
    select d.contact, m.deleted_at
    from due_chat as d join core.messages as m on m.conversation_id = d.conversation_id and m.deleted_at > %(now)s
    where not d.is_own and m.sent_at <= %(now)s
),
-- grouped, not joined: how many rows lie after an instant PostgreSQL guesses badly, and a nested loop over everybody
-- who is due would cost the square of them
met as (
    select min(conversation_id) as conversation_id, min(at) as at
    from (
        select contact, conversation_id, null as at from due_chat where is_own
        union all
        select contact, null, at from elsewhere
    ) as of_contact
    group by contact
    having count(conversation_id) > 0 and count(at) > 0
),
marks as (
    select l.conversation_id, l.at from later as l join due_chat as d on d.conversation_id = l.conversation_id
    union all
    select conversation_id, at from met
)
insert into ops.dirty as d (conversation_id, connection_id, since, is_told)
select conversation_id, %(connection)s, min(at), true from marks group by conversation_id
on conflict (conversation_id) do update set since = least(d.since, excluded.since)
"""


def _mark_what_was_not_seen(connection: psycopg.Connection[Any], connection_id: str, now: datetime) -> None:
    """Rows dated after ``as_of`` were passed over: their conversations stay due."""
    connection.execute(_NOT_SEEN, {"connection": connection_id, "now": now})


def _instant(moment: datetime) -> Instant:
    whole = int(moment.replace(microsecond=0).timestamp())
    return whole * SECOND + moment.microsecond
