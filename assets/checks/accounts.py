"""Whether every account was worked on: what makes a run red when one account of ten is broken (promise F28).

Here: the last step of a run. Its checks block nothing: the accounts that are well were read and judged before it looks.
Not here: working on accounts (``assets.accounts``), what must be true of rows (``raw``, ``core``, ``evaluated``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.accounts import failures, raise_failed
from assets.failures import described, explained
from assets.partitions import TIME_ZONE
from assets.raw import retailcrm, retailcrm_web, tbank
from assets.spans import days_if_any
from conversations.window import Window
from resources.accounts_resource import everybody
from resources.clients.errors import SourceError
from resources.retailcrm import RetailCRMResource
from resources.tbank import TBankResource
from resources.warehouse.engine import Warehouse
from resources.warehouse_resource import PolicyResource, WarehouseResource

NAME = "every_account_was_worked_on"
_DOORS = (retailcrm.DOOR, retailcrm_web.DOOR, tbank.DOOR)
_LAST = {dg.AssetCheckKey(door.key(door.last), NAME): door for door in _DOORS}
# one table for each function that goes over the accounts
_FUNCTIONS = ("core.conversations", "core.messages", "evaluated.waits", "evaluated.call_eligibility")
_TABLES = [
    *(door.key(stream) for door in _DOORS for stream in door.streams),
    *(dg.AssetKey(table.split(".")) for table in _FUNCTIONS),
]
_DESCRIPTION = "No account failed or was busy; a red one is named with its reason, the others were worked on."

_UNREAD = """
select
    c.connection_id,
    c.status,
    c.reason
from ops.connections as c
where
    c.connection_id = any(%(accounts)s)
    and (
        c.status <> 'ok'
        or not exists (
            select from ops.cursors as r
            where
                r.connection_id = c.connection_id and r.stream = %(stream)s and r.is_complete
                and r.window_start = %(start)s and r.window_end = %(end)s
        )
    )
order by c.created_at, c.connection_id
"""


@dg.multi_asset_check(
    name="account_checks",
    specs=[dg.AssetCheckSpec(NAME, asset=key, description=_DESCRIPTION, blocking=False) for key in _TABLES],
    can_subset=True,
    # last of all: the command ends with the first step that fails
    op_tags={"dagster/priority": "-1"},
)
def account_checks(
    context: dg.AssetCheckExecutionContext,
    retailcrm: RetailCRMResource,
    tbank: TBankResource,
    warehouse: WarehouseResource,
    policy: PolicyResource,
) -> Iterator[dg.AssetCheckResult]:
    """What the steps of this run noted, and for the last streams also what is written down: this step may be run
    alone."""
    chosen = context.selected_asset_check_keys
    with explained(context):
        database = warehouse.open()
        readers = (retailcrm, tbank)
        accounts = everybody(readers, database)
        failed = failures(readers)
        span = days_if_any(context)
        doors = [door for key, door in _LAST.items() if key in chosen]
        if span is not None and doors:
            window = span.reading_window(TIME_ZONE, policy.load().reread_days)
            for door in doors:
                looked = [one for one, (account, _) in accounts.items() if isinstance(account, door.accounts)]
                failed |= _unread(database, [one for one in looked if one not in failed], door.last, window)
    reasons = {one: described(error)[1] for one, error in failed.items()}
    for key in chosen:
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=not failed,
            metadata={"accounts": len(accounts), "failed": reasons},
        )
    with explained(context):
        raise_failed(failed, len(accounts))


def _unread(database: Warehouse, accounts: list[str], stream: str, window: Window) -> dict[str, Exception]:
    parameters = {"accounts": accounts, "stream": stream, "start": window.start, "end": window.end}
    with database.connect("otklik-checks") as connection:
        found = connection.execute(_UNREAD, parameters).fetchall()
    return {
        one: SourceError(
            one, reason if status not in (None, "ok") and reason else "these days were not read to the end"
        )
        for one, status, reason in found
    }
