"""``replace_links()``: which ids of customers are one human, as a table, and whoever is concerned marked as due.

Here: one transaction under the locks of the accounts concerned. Not here: the list that people write
(``conversations.identities``), the judgement that follows in the next load (``resources.warehouse.due``).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from conversations.identities import connections_of, members, regrouped
from resources.warehouse.audit import record
from resources.warehouse.engine import Warehouse
from resources.warehouse.failpoints import fail_point
from resources.warehouse.locks import core_lock, people_lock

BEGINNING = "1900-01-01 00:00Z"
"""From when on conversations are judged again: a reply of long ago may be the answer now."""


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


def replace_links(warehouse: Warehouse, links: Mapping[str, str]) -> LinkCounts:
    """Make ``links`` (normal form of ``conversations.identities``) the whole list. Done again it changes nothing.

    Every call is written down in ``ops.audit``, with the number of ids that stand for another.

    Raises:
        Busy: an account concerned is being judged and does not end, or another list is being written.
    """
    with warehouse.connect("otklik customers", autocommit=True) as connection, ExitStack() as held:
        held.enter_context(people_lock(connection))
        before = dict(connection.execute("select customer_id, same_as from reference.customer_links").fetchall())
        concerned = regrouped(before, links)
        for connection_id in connections_of(concerned):
            held.enter_context(core_lock(connection, connection_id))
        conversations = 0
        with connection.transaction():
            record(connection, "link_customers", f"{len(links)} ids")
            if concerned:
                connection.execute("delete from reference.customer_links")
                with connection.cursor() as cursor:
                    cursor.executemany("insert into reference.customer_links values (%s, %s)", list(links.items()))
                conversations = connection.execute(
                    "insert into ops.dirty as d (conversation_id, connection_id, since)"
                    " select conversation_id, connection_id, %s from core.conversations where customer_id = any(%s)"
                    " on conflict (conversation_id) do update set since = least(d.since, excluded.since)",
                    (BEGINNING, sorted(concerned)),
                ).rowcount
                fail_point("customers.before_commit")
        everybody = sorted(members(links))
        known = connection.execute(
            "select count(*) from core.customers where customer_id = any(%s)", (everybody,)
        ).fetchone()
    return LinkCounts(
        people=len(set(links.values())),
        customers=len(everybody),
        unknown=len(everybody) - (known[0] if known else 0),
        conversations=conversations,
    )
