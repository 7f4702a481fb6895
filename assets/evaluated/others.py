"""Connections that no run reads (imported files, disabled accounts), where something has to be judged again.

Here: which they are, and one refresh of each. Not here: the accounts of a run (``assets.accounts``), the judgement
(``resources.warehouse.refresh``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

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
