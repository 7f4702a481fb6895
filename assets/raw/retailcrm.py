"""RetailCRM's streams as raw tables.

Here: one asset per stream of ``RetailCRMSource``, made by one function since they differ in nothing but the stream, and
the vendor's own counters beside the rows. Not here: reading, writing, understanding a payload.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.failures import explained
from assets.measures import by_day
from assets.partitions import DAILY, TIME_ZONE
from assets.spans import days_of
from assets.tables import DAILY_FRESHNESS, described
from conversations.source import Stream
from resources.retailcrm import RetailCRMResource
from resources.sources.retailcrm import RetailCRMSource
from resources.warehouse.completeness import refresh_completeness
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
        with explained(context):
            landed = land(
                retailcrm.source(), stream.name, None, warehouse.open(), time_zone=TIME_ZONE, run_id=context.run.run_id
            )
        return dg.MaterializeResult(metadata={"dagster/row_count": landed.rows, **_counts(landed)})

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
        with explained(context):
            source, database = retailcrm.source(), warehouse.open()
            window = span.reading_window(TIME_ZONE, policy.load().reread_days)
            landed = land(source, stream.name, window, database, time_zone=TIME_ZONE, run_id=context.run.run_id)
            if stream.name == LAST_STREAM:
                refresh_completeness(database, source, window, TIME_ZONE)
            days = by_day(database, ("raw", _table(stream.name)), span, TIME_ZONE)
        for day, numbers in days.items():
            context.add_asset_metadata(numbers, partition_key=day)
        return dg.MaterializeResult(metadata=_counts(landed))

    return windowed


def _counts(landed: Landed) -> Mapping[str, Any]:
    return {
        "pages": landed.pages,
        "inserted": landed.inserted,
        "updated": landed.updated,
        "unchanged": landed.unchanged,
        "gone": landed.gone,
        "resumed": landed.resumed,
    }


def _build() -> list[dg.AssetsDefinition]:
    streams = list(RetailCRMSource.streams.values())
    directories = [stream for stream in streams if not stream.is_windowed]
    windowed = [stream for stream in streams if stream.is_windowed]
    before = [_key(stream.name) for stream in streams if stream.name != LAST_STREAM]
    return [_directory(stream) for stream in directories] + [
        _windowed(stream, before if stream.name == LAST_STREAM else []) for stream in windowed
    ]


RETAILCRM_ASSETS = _build()
