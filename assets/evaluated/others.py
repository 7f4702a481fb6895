"""Connections that no run reads (imported files, disabled accounts), where something has to be judged again.

Here: which they are, and one refresh of each, of their conversations or of their calls. Not here: the accounts of a run
(``assets.accounts``), the judgement (``resources.warehouse.refresh``, ``resources.warehouse.eligibility``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

from assets.failures import Context
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import Busy
from resources.warehouse.locks import account_lock
from resources.warehouse.refresh import RefreshCounts

_MARKED = """
select a.scope, a.as_of from ops.as_of as a
where a.scope <> all(%s)
  and exists (select from ops.dirty as d where d.connection_id = a.scope and d.since <= a.as_of)
order by a.scope
"""


_UNSEEN = """
select distinct c.connection_id from core.calls as c
left join evaluated.call_eligibility as e on e.call_id = c.call_id
where c.connection_id <> all(%s) and e.call_id is null
order by 1
"""
T = TypeVar("T")


def over_others(
    context: Context,
    warehouse: Warehouse,
    accounts: Collection[str],
    judge: Callable[[str, datetime], RefreshCounts],
) -> list[RefreshCounts]:
    """Judge every other connection that holds marked conversations, as of when it was judged last.

    Nothing new came from it, so its time does not go on: who waits in a file still waits. One that was never judged
    (a file without times) has nothing to judge. A busy one is left to whoever works on it, or to the next night.

    Args:
        accounts: the connections of the run itself, those that failed in it included.
        judge: judges a connection as of an instant.
    """
    done: list[RefreshCounts] = []
    with warehouse.connect("otklik-others", autocommit=True) as session:
        for connection_id, as_of in session.execute(_MARKED, [sorted(accounts)]).fetchall():
            try:
                with account_lock(session, connection_id):
                    done.append(judge(connection_id, as_of))
            except Busy as error:
                context.log.warning(f"{connection_id} keeps its marked conversations for the next run: busy: {error}")
    return done


def over_files(
    context: Context, warehouse: Warehouse, accounts: Collection[str], look_at: Callable[[str], T]
) -> list[T]:
    """Look at the calls of every other connection that has some which were never looked at.

    Args:
        accounts: the connections of the run itself, those that failed in it included.
        look_at: works on a connection.
    """
    done: list[T] = []
    with warehouse.connect("otklik-others", autocommit=True) as session:
        for (connection_id,) in session.execute(_UNSEEN, [sorted(accounts)]).fetchall():
            try:
                with account_lock(session, connection_id):
                    done.append(look_at(connection_id))
            except Busy as error:
                context.log.warning(f"{connection_id} keeps its new calls for the next run: busy: {error}")
    return done
