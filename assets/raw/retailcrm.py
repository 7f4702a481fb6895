"""RetailCRM's streams as raw tables.

Here: one asset per stream of ``RetailCRMSource``, made by one function since they differ in nothing but the stream, and
the vendor's own counters beside the rows. Accounts are rows, not assets. Not here: reading, writing, understanding a
payload.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from assets.accounts import over_accounts
from assets.failures import explained
from assets.measures import by_day
from assets.partitions import DAILY, TIME_ZONE
from assets.spans import days_of
from assets.tables import DAILY_FRESHNESS, described
from conversations.source import Stream
from resources.accounts import RetailCRMAccount
from resources.retailcrm import RetailCRMResource
from resources.sources.retailcrm import RetailCRMSource
from resources.warehouse.completeness import refresh_completeness
from resources.warehouse.engine import Warehouse
from resources.warehouse.land import Landed, land
from resources.warehouse_resource import PolicyResource, WarehouseResource

SOURCE = RetailCRMSource.name
POOL = SOURCE
"""One run at a time works on the accounts: a second one waits in Dagster's queue instead of finding them busy."""

LAST_STREAM = "messages"
"""Read after all others, so that no chat points past what is stored; then the vendor's own counters are asked for."""


def _table(stream: str) -> str:
    return f"{SOURCE}__{stream}"


def _key(stream: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", _table(stream)])


def _directory(stream: Stream) -> dg.AssetsDefinition:
    @dg.asset(
        **described("raw", _table(stream.name), source=SOURCE),
        pool=POOL,
        freshness_policy=DAILY_FRESHNESS,
    )
    def directory(
        context: dg.AssetExecutionContext, retailcrm: RetailCRMResource, warehouse: WarehouseResource
    ) -> dg.MaterializeResult:
        def read(database: Warehouse, account: RetailCRMAccount) -> Landed:
            source = retailcrm.source(account)
            return land(source, stream.name, None, database, time_zone=TIME_ZONE, run_id=context.run.run_id)

        with explained(context):
            landed = over_accounts(context, retailcrm, warehouse, read)
        rows = sum(one.rows for one in landed)
        return dg.MaterializeResult(metadata={"dagster/row_count": rows, **_counts(landed)})

    return directory


def _windowed(stream: Stream, deps: list[dg.AssetKey]) -> dg.AssetsDefinition:
    @dg.asset(
        **described("raw", _table(stream.name), source=SOURCE),
        partitions_def=DAILY,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=POOL,
        freshness_policy=DAILY_FRESHNESS,
        deps=deps,
    )
    def windowed(
        context: dg.AssetExecutionContext,
        retailcrm: RetailCRMResource,
        warehouse: WarehouseResource,
        policy: PolicyResource,
    ) -> dg.MaterializeResult:
        span = days_of(context)

        def read(database: Warehouse, account: RetailCRMAccount) -> Landed:
            source = retailcrm.source(account)
            landed = land(source, stream.name, window, database, time_zone=TIME_ZONE, run_id=context.run.run_id)
            if stream.name == LAST_STREAM:
                refresh_completeness(database, source, window, TIME_ZONE)
                retailcrm.read_to_the_end(database, account)
            return landed

        with explained(context):
            window = span.reading_window(TIME_ZONE, policy.load().reread_days)
            landed = over_accounts(context, retailcrm, warehouse, read)
            days = by_day(warehouse.open(), ("raw", _table(stream.name)), span, TIME_ZONE)
        for day, numbers in days.items():
            context.add_asset_metadata(numbers, partition_key=day)
        return dg.MaterializeResult(metadata=_counts(landed))

    return windowed


def _counts(landed: Sequence[Landed]) -> Mapping[str, Any]:
    """What the run did, summed over the accounts that it read."""
    names = ("pages", "inserted", "updated", "unchanged", "gone")
    counts = {name: sum(getattr(one, name) for one in landed) for name in names}
    return {"accounts": len(landed), **counts, "resumed": any(one.resumed for one in landed)}


def _build() -> list[dg.AssetsDefinition]:
    streams = list(RetailCRMSource.streams.values())
    directories = [stream for stream in streams if not stream.is_windowed]
    windowed = [stream for stream in streams if stream.is_windowed]
    before = [_key(stream.name) for stream in streams if stream.name != LAST_STREAM]
    return [_directory(stream) for stream in directories] + [
        _windowed(stream, before if stream.name == LAST_STREAM else []) for stream in windowed
    ]


RETAILCRM_ASSETS = _build()
