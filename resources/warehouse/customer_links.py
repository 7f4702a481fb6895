"""Which ids of customers are one human, as a table: by people's list and by telephone numbers; whoever is concerned by
a change is marked as due.

Here: one transaction under the locks of the accounts concerned. Not here: the list that people write and whom a number
joins (``conversations.identities``), the judgement that follows in the next load (``resources.warehouse.due``).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg

from conversations.identities import (
    BY_NUMBER,
    Linked,
    connection_of,
    connections_of,
    link,
    members,
    parted,
    regrouped,
    renamed,
)
from resources.warehouse.audit import record
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import core_lock, links_lock
from resources.warehouse.person_keys import person_keys

BEGINNING = "1900-01-01 00:00Z"
"""From when on conversations are judged again: a reply of long ago may be the answer now."""

# whoever has no conversation (customers as the CRM's directory lists them) has nothing to be judged with
_NUMBERS = """
select array_agg(c.customer_id)
from core.customers as c
where c.number_key in (
        select t.number_key from core.customers as t
        where t.number_key <> '' and t.connection_id in (select connection_id from core.channels where kind = 'phone')
    )
    and exists (select from core.conversations as v where v.customer_id = c.customer_id)
group by c.number_key
having count(*) > 1
"""
_WITHOUT_KEY = "from core.customers where phone is not null and number_key is null"
_SET_KEYS = """
update core.customers as c set number_key = k.number_key
from unnest(%s::text[], %s::text[]) as k (customer_id, number_key)
where c.customer_id = k.customer_id
"""
_NUMBER = """
insert into ops.link_changes (customer_id, change)
select concerned, (select coalesce(max(change), 0) + 1 from ops.link_changes) from unnest(%s::text[]) as concerned
on conflict (customer_id) do update set change = excluded.change
"""
_WEEKS = """
with concerned as (
    select v.conversation_id
    from ops.link_changes as l join core.conversations as v on v.customer_id = l.customer_id
    where l.change = (select max(change) from ops.link_changes)
)
(
    select w.settled_week from evaluated.waits as w join concerned using (conversation_id)
    union
    select s.ended_week from evaluated.sessions as s join concerned using (conversation_id)
)
intersect
select week from marts.week_revisions
order by 1
"""
_MARK = """
insert into ops.dirty as d (conversation_id, connection_id, since, is_told)
select conversation_id, connection_id, %s, true from core.conversations where customer_id = any(%s)
on conflict (conversation_id) do update set since = least(d.since, excluded.since)
"""


@dataclass(frozen=True)
class LinkCounts:
    """What one call found and did."""

    people: int
    """Humans with several ids."""
    customers: int
    """Ids that they have together."""
    unknown: int
    """Of these, ids that no source has shown yet: they count as soon as they come."""
    conversations: int
    """Conversations that the next load judges again."""
    by_number: int = 0
    """Of the ids, those that a number joined and no list."""
    shared_numbers: int = 0
    """Numbers that joined nobody: two customers of one connection have them, or the list says otherwise."""
    regrouped: int = 0
    """Ids whose human has other ids now than before."""
    parted: int = 0
    """Of these, ids that were one human with an id that they no longer are: a second customer has the number by now, or
    people wrote it down."""


def replace_list(warehouse: Warehouse, listed: Mapping[str, str], *, by_number: bool = True) -> LinkCounts:
    """Make ``listed`` (``conversations.identities.read_identities``) the whole list. Done again it changes nothing.

    Every call is written down in ``ops.audit``, with the number of ids that stand for another. A list that names
    customers as they were called before ids were keyed means the same customers.

    Args:
        by_number: whether numbers join ids, too (the policy's ``customers.link_by_number``).

    Raises:
        Busy: an account concerned is being judged and does not end, or another list is being written.
    """
    return _replace(warehouse, listed, by_number)


def refresh_links(warehouse: Warehouse, *, by_number: bool) -> LinkCounts:
    """Find out anew whom numbers join, beside the list that stands. Where nothing changed nothing is written.

    Raises:
        Busy: as ``replace_list``.
    """
    return _replace(warehouse, None, by_number)


def links_of_import(warehouse: Warehouse, *, by_number: bool) -> LinkCounts | None:
    """``refresh_links`` after the core rows of a file were written and before they are judged, as in a night.

    ``None``: somebody else writes links, or works on an account that is concerned, and does not end. The links of
    before hold until the next night then: a file is not lost for them.
    """
    try:
        found = refresh_links(warehouse, by_number=by_number)
    except Busy:
        return None
    fail_point("imports.linked")
    return found


def find_links(warehouse: Warehouse, *, by_number: bool) -> Linked:
    """Say who would be one human as of now, and which numbers join nobody; writes nothing."""
    with warehouse.connect("otklik customers") as connection:
        return link(_listed(connection), _numbers(connection, by_number))


def _replace(warehouse: Warehouse, given: Mapping[str, str] | None, by_number: bool) -> LinkCounts:
    with warehouse.connect("otklik customers", autocommit=True) as connection, ExitStack() as held:
        held.enter_context(links_lock(connection))
        if by_number:
            _fill_keys(connection)
        written = _listed(connection)
        listed = written if given is None else renamed(given, _keyed(connection, given))
        before = {one: (root, why) for one, root, why in connection.execute(
            "select customer_id, same_as, linked_by from reference.customer_links").fetchall()}  # fmt: skip
        found = link(listed, _numbers(connection, by_number))
        concerned = regrouped(_plain(before), _plain(found.links))
        for connection_id in connections_of(concerned):
            held.enter_context(core_lock(connection, connection_id))
        with connection.transaction():
            if given is not None:
                record(connection, "link_customers", f"{sum(one != root for one, root in listed.items())} ids")
                _exchange(connection, "customer_list", _rows(written), _rows(listed))
            _exchange(connection, "customer_links", _rows(before), _rows(found.links))
            conversations = connection.execute(_MARK, (BEGINNING, sorted(concerned))).rowcount if concerned else 0
            if concerned:
                connection.execute(_NUMBER, (sorted(concerned),))
            fail_point("customers.before_commit")
        everybody = sorted(members(_plain(found.links)))
        known = connection.execute(
            "select count(*) from core.customers where customer_id = any(%s)", (everybody,)
        ).fetchone()
    return LinkCounts(
        people=len({root for root, _ in found.links.values()}),
        customers=len(everybody),
        unknown=len(everybody) - (known[0] if known else 0),
        conversations=conversations,
        by_number=sum(why == BY_NUMBER for _, why in found.links.values()),
        shared_numbers=len(found.shared),
        regrouped=len(concerned),
        parted=len(parted(_plain(before), _plain(found.links))),
    )


def weeks_concerned(publisher: Warehouse) -> list[str]:
    """The published weeks with talks of those whose links changed last: published again, they may say otherwise."""
    with publisher.connect("otklik customers") as connection:
        if connection.execute("select to_regclass('marts.week_revisions')").fetchone() == (None,):
            return []
        return [week for (week,) in connection.execute(_WEEKS).fetchall()]


def _listed(connection: psycopg.Connection[Any]) -> dict[str, str]:
    return dict(connection.execute("select customer_id, same_as from reference.customer_list").fetchall())


def _keyed(connection: psycopg.Connection[Any], given: Mapping[str, str]) -> dict[str, str]:
    """Ids of a list that was written before ids were keyed, and what core calls those customers by now."""
    known = {one for (one,) in connection.execute(
        "select customer_id from core.customers where customer_id = any(%s)", (list(given),)).fetchall()}  # fmt: skip
    keys = person_keys(connection)
    other = {keys.full_id(connection_of(one), one): one for one in given if one not in known}
    # a list that names somebody both ways says by the present id who he is
    other = {present: former for present, former in other.items() if present not in given}
    found = connection.execute("select customer_id from core.customers where customer_id = any(%s)", (list(other),))
    return {other[one]: one for (one,) in found.fetchall()}


def _numbers(connection: psycopg.Connection[Any], by_number: bool) -> list[list[str]]:
    """For each number that a telephony knows, everybody who has it; nobody where numbers say nothing."""
    return [ids for (ids,) in connection.execute(_NUMBERS).fetchall()] if by_number else []


def _fill_keys(connection: psycopg.Connection[Any]) -> None:
    """Give a key to everybody who was stored before there were keys."""
    for (connection_id,) in connection.execute(f"select distinct connection_id {_WITHOUT_KEY} order by 1").fetchall():
        with core_lock(connection, connection_id), connection.transaction():
            found = connection.execute(
                f"select customer_id, phone {_WITHOUT_KEY} and connection_id = %s", (connection_id,)
            ).fetchall()
            keys = person_keys(connection)
            connection.execute(_SET_KEYS, ([one for one, _ in found], [keys.number_key(phone) for _, phone in found]))


def _plain(links: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    return {one: root for one, (root, _) in links.items()}


def _rows(of: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {one: (one, *([rest] if isinstance(rest, str) else rest)) for one, rest in of.items()}


def _exchange(
    connection: psycopg.Connection[Any],
    table: str,
    old: Mapping[str, tuple[str, ...]],
    new: Mapping[str, tuple[str, ...]],
) -> None:
    """Write what differs, by key: most nights a few new customers."""
    gone = [one for one, row in old.items() if new.get(one) != row]
    come = [row for one, row in new.items() if old.get(one) != row]
    if gone:
        connection.execute(f"delete from reference.{table} where customer_id = any(%s)", (gone,))  # noqa: S608
    if come:
        with connection.cursor().copy(f"copy reference.{table} from stdin") as copy:
            for row in come:
                copy.write_row(row)
