"""Whose calls they are and which of them are judged, by the policy and the directory of operators in force.

Here: the table as an asset. Not here: how it is written (``resources.warehouse.eligibility``), the judging itself
(``assets.evaluated.scorecards``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

import dagster as dg

from assets.accounts import over_accounts
from assets.evaluated.others import over_files
from assets.failures import explained
from assets.measures import by_day
from assets.partitions import DAILY, TIME_ZONE
from assets.raw.accounts import POOL
from assets.spans import days_of
from assets.tables import DAILY_FRESHNESS, described
from resources.accounts_resource import AccountsResource, ReadAccount, everybody
from resources.retailcrm import RetailCRMResource
from resources.tbank import TBankResource
from resources.warehouse.eligibility import EligibilityCounts, refresh_eligibility
from resources.warehouse.engine import Warehouse
from resources.warehouse_resource import PolicyResource, WarehouseResource

TABLE = "call_eligibility"
_DEPS = [dg.AssetKey(key) for key in (["core", "calls"], ["core", "call_transcripts"], ["reference", "operators"])]


@dg.asset(
    **described("evaluated", TABLE),
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
    freshness_policy=DAILY_FRESHNESS,
    deps=_DEPS,
)
def call_eligibility(
    context: dg.AssetExecutionContext,
    retailcrm: RetailCRMResource,
    tbank: TBankResource,
    warehouse: WarehouseResource,
    policy: PolicyResource,
) -> dg.MaterializeResult:
    """Every call of the days, and calls of files that nobody has looked at yet."""
    span = days_of(context)

    def look_at(database: Warehouse, account: ReadAccount, _: AccountsResource) -> EligibilityCounts:
        return refresh_eligibility(database, rules, window, [account.connection_id])

    def look_at_other(connection_id: str) -> EligibilityCounts:
        return refresh_eligibility(warehouse.open(), rules, window, [connection_id])

    with explained(context):
        rules = policy.load()
        window = span.reading_window(TIME_ZONE, rules.reread_days)
        readers = (retailcrm, tbank)
        counts = over_accounts(context, readers, warehouse, look_at)
        counts += over_files(context, warehouse.open(), list(everybody(readers, warehouse.open())), look_at_other)
        days = by_day(warehouse.open(), ("evaluated", TABLE), span, TIME_ZONE)
    for day, numbers in days.items():
        context.add_asset_metadata(numbers, partition_key=day)
    found = {reason: 0 for one in counts for reason in one.by_reason}
    for one in counts:
        found |= {reason: found[reason] + count for reason, count in one.by_reason.items()}
    return dg.MaterializeResult(metadata={"rows_written": sum(one.written for one in counts), **found})
