"""A human with chats in several connections: what changes in one of them is told to the others.

Here: the marks that a change leaves in the other connections, and the locks under which they are written. Not here: who
is one human (``resources.warehouse.customer_links``), the judgement (``resources.warehouse.refresh``).

Every connection judges its own chats, as of its own instant (``ops.as_of``), with everything that is stored of their
human in any connection up to it. So what is stored of the judgement follows from what is in core, the links and the
instants, whatever was loaded or judged first. A mark of ``ops.dirty`` is made where a row changed; before anybody takes
it, it is told: each other connection of the human gets a mark of its own, with the same instant, which it takes when
it judges up to there. Where somebody works on another connection for long, the mark is judged and stays, untold. Marks
of a connection are written and taken under the lock of its core tables only, and whoever needs several of these locks
takes them in the order of their names, so that no two runs wait for each other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg

from resources.warehouse.errors import Busy
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import core_lock

# everybody with ids in this connection and in another, and the connection of each id, which its id begins with
_HUMANS = """
with human as (
    select same_as as human, customer_id, split_part(customer_id, ':', 1) as connection_id
    from reference.customer_links
    union all
    select distinct same_as, same_as, split_part(same_as, ':', 1) from reference.customer_links
),
met as (
    select human from human group by human
    having bool_or(connection_id = %(own)s) and bool_or(connection_id <> %(own)s)
)
"""
_NEIGHBOURS = f"""
{_HUMANS}
select distinct h.connection_id from human as h join met as m on m.human = h.human
where h.connection_id <> %(own)s
"""  # noqa: S608 - no value in it
_TAKE = f"""
{_HUMANS},
fresh as (
    update ops.dirty as d set is_told = true
    from core.conversations as c, human as h, met as m
    where c.conversation_id = d.conversation_id and h.customer_id = c.customer_id and m.human = h.human
      and not d.is_told
    returning h.human, d.connection_id, d.since
)
insert into fresh_mark
select human, connection_id, min(since) from fresh group by human, connection_id
"""  # noqa: S608 - no value in it
# one chat stands for all of his in a connection: he is judged there as a whole
_TELL = f"""
{_HUMANS}
insert into ops.dirty as d (conversation_id, connection_id, since, is_told)
select min(c.conversation_id), c.connection_id, min(f.since), true
from fresh_mark as f
join human as other on other.human = f.human and other.connection_id <> f.connection_id
join core.conversations as c on c.customer_id = other.customer_id and c.connection_id = other.connection_id
group by f.human, c.connection_id
on conflict (conversation_id) do update set since = least(d.since, excluded.since)
"""  # noqa: S608 - no value in it


class _BusyElsewhere(Exception):
    """Somebody works on another connection and does not end."""


@contextlib.contextmanager
def judging_lock(connection: psycopg.Connection[Any], connection_id: str) -> Iterator[bool]:
    """The right to judge a connection, once all that changed for its humans in any connection is told.

    The locks of the other connections are held while it is told, that of this one for the time of the block. Gives
    whether it was told: where somebody works on another connection and does not end, this one does not lose its night
    for that (F28). What is not told stays marked, so that a later run tells it and judges it again.

    Raises:
        Busy: another process writes core tables of the connection itself and does not end.
    """
    with ExitStack() as own:
        is_told = True
        try:
            while not _all_told(connection, connection_id, own):
                own.close()
        except _BusyElsewhere:
            own.close()
            own.enter_context(core_lock(connection, connection_id))
            is_told = False
        fail_point("evaluated.told")
        yield is_told


def _all_told(connection: psycopg.Connection[Any], one: str, own: ExitStack) -> bool:
    """Tell; false where links have changed before the locks were held: once more, with those that are concerned now."""
    around = _neighbours(connection, one)
    with ExitStack() as others:
        for name in sorted({one, *around}):
            try:
                (own if name == one else others).enter_context(core_lock(connection, name))
            except Busy as error:
                raise error if name == one else _BusyElsewhere from error
        now = _neighbours(connection, one)
        if now <= around and now:
            with connection.transaction():
                connection.execute(
                    "create temp table fresh_mark (human text, connection_id text, since timestamptz) on commit drop"
                )
                connection.execute(_TAKE, {"own": one})
                connection.execute(_TELL, {"own": one})
        return now <= around


def _neighbours(connection: psycopg.Connection[Any], one: str) -> set[str]:
    return {name for (name,) in connection.execute(_NEIGHBOURS, {"own": one}).fetchall()}
