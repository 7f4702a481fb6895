"""Streams of accounts as raw tables: one asset per stream, made by one function for every door to an account.

Here: what a directory and a windowed stream do over all accounts of a door. Accounts are rows, not assets. Not here:
which doors there are (``assets.raw.retailcrm``, ``assets.raw.retailcrm_web``, ``assets.raw.tbank``), reading, writing,
understanding.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import dagster as dg

from assets.accounts import over_accounts
from assets.failures import explained
from assets.measures import by_day
from assets.partitions import DAILY, TIME_ZONE
from assets.spans import days_of
from assets.tables import DAILY_FRESHNESS, described
from conversations.source import Stream
from conversations.window import Window
from resources.accounts_resource import AccountsResource, ReadAccount
from resources.retailcrm import RetailCRMResource
from resources.tbank import TBankResource
from resources.warehouse.engine import Warehouse
from resources.warehouse.land import Landed, land
from resources.warehouse_resource import PolicyResource, WarehouseResource

POOL = "retailcrm"
"""One run at a time works on the accounts: a second one waits in Dagster's queue instead of finding them busy."""


class Door(NamedTuple):
    """One way to read accounts."""

    source: str
    """Names the raw tables, ``raw.<source>__<stream>``."""
    streams: Mapping[str, Stream]
    accounts: Any
    """The kind of account that is read through it."""
    count: Callable[[Warehouse, Any, Window, str], object]
    """Compares a window with what the vendor says of it: database, source, window, time zone."""
    last: str = "messages"
    """The stream that is read after all others, so that nothing in it points past what is stored; then the vendor's own
    counters are asked for."""

    def key(self, stream: str) -> dg.AssetKey:
        """The asset of a stream."""
        return dg.AssetKey(["raw", f"{self.source}__{stream}"])


def stream_assets(door: Door) -> list[dg.AssetsDefinition]:
    """One asset per stream of the door."""
    streams = list(door.streams.values())
    directories = [stream for stream in streams if not stream.is_windowed]
    windowed = [stream for stream in streams if stream.is_windowed]
    before = [door.key(stream.name) for stream in streams if stream.name != door.last]
    return [_directory(door, stream) for stream in directories] + [
        _windowed(door, stream, before if stream.name == door.last else []) for stream in windowed
    ]


def _directory(door: Door, stream: Stream) -> dg.AssetsDefinition:
    @dg.asset(
        **described("raw", f"{door.source}__{stream.name}", source=door.source),
        pool=POOL,
        freshness_policy=DAILY_FRESHNESS,
    )
    def directory(
        context: dg.AssetExecutionContext,
        retailcrm: RetailCRMResource,
        tbank: TBankResource,
        warehouse: WarehouseResource,
    ) -> dg.MaterializeResult:
        def read(database: Warehouse, account: ReadAccount, reader: AccountsResource) -> Landed:
            source = reader.source(account, database)
            return land(source, stream.name, None, database, time_zone=TIME_ZONE, run_id=context.run.run_id)

        with explained(context):
            landed = over_accounts(context, (retailcrm, tbank), warehouse, read, door.accounts)
        rows = sum(one.rows for one in landed)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows, **_counts(landed)})

    return directory


def _windowed(door: Door, stream: Stream, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
    table = f"{door.source}__{stream.name}"

    @dg.asset(
        **described("raw", table, source=door.source),
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
        freshness_policy=DAILY_FRESHNESS,
        deps=deps,
    )
    def windowed(
        context: dg.AssetExecutionContext,
        retailcrm: RetailCRMResource,
        tbank: TBankResource,
        warehouse: WarehouseResource,
        policy: PolicyResource,
    ) -> dg.MaterializeResult:
        span = days_of(context)

        def read(database: Warehouse, account: ReadAccount, reader: AccountsResource) -> Landed:
            source = reader.source(account, database)
            landed = land(source, stream.name, window, database, time_zone=TIME_ZONE, run_id=context.run.run_id)
            if stream.name == door.last:
                door.count(database, source, window, TIME_ZONE)
                reader.read_to_the_end(database, account)
            return landed

        with explained(context):
            window = span.reading_window(TIME_ZONE, policy.load().reread_days)
            landed = over_accounts(context, (retailcrm, tbank), warehouse, read, door.accounts)
            days = by_day(warehouse.open(), ("raw", table), span, TIME_ZONE)
        for day, numbers in days.items():
            context.add_asset_metadata(numbers, partition_key=day)
        return dg.MaterializeResult(metadata=_counts(landed))

    return windowed


def _counts(landed: Sequence[Landed]) -> Mapping[str, Any]:
    """What the run did, summed over the accounts that it read."""
    names = ("pages", "inserted", "updated", "unchanged", "gone")
    counts = {name: sum(getattr(one, name) for one in landed) for name in names}
    return {"accounts": len(landed), **counts, "resumed": any(one.resumed for one in landed)}
