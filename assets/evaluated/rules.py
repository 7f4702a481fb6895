"""Waits, sessions, who left a customer waiting, behaviour and advice, judged by the policy and lexicons in force.

Here: the days' contacts judged again and what the days show for it. Not here: how it is done.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from assets.accounts import over_accounts
from assets.evaluated.others import over_others
from assets.failures import explained
from assets.measures import by_day
from assets.partitions import DAILY, TIME_ZONE
from assets.raw.accounts import POOL
from assets.spans import days_of
from assets.tables import DAILY_FRESHNESS, spec
from conversations.policy import DEFINITION_VERSION
from resources.accounts_resource import AccountsResource, ReadAccount, everybody
from resources.retailcrm import RetailCRMResource
from resources.settings import Settings
from resources.tbank import TBankResource
from resources.warehouse.engine import Warehouse
from resources.warehouse.refresh import RefreshCounts, refresh_evaluated
from resources.warehouse_resource import PolicyResource, WarehouseResource

TABLES = ("waits", "sessions", "left_waiting", "behaviour", "advice")
_DEPS = [dg.AssetKey(["core", table]) for table in ("messages", "events", "conversations", "channels", "managers")]
_DEPS += [dg.AssetKey(["reference", "customer_links"])]


@dg.multi_asset(
    name="evaluated_rules",
    specs=[spec("evaluated", table, deps=_DEPS, freshness_policy=DAILY_FRESHNESS) for table in TABLES],
    partitions_def=DAILY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
)
def evaluated_rules(
    context: dg.AssetExecutionContext,
    retailcrm: RetailCRMResource,
    tbank: TBankResource,
    warehouse: WarehouseResource,
    policy: PolicyResource,
) -> Iterator[dg.MaterializeResult]:
    """Every contact that the days touch, judged as a whole up to the end of the last day, but never beyond the clock.

    A day that is not over settles nothing by its end: who can still be answered is not yet unanswered. Connections that
    the run does not read are judged where something of them is marked, as of when they were judged last.
    """
    span = days_of(context)

    def judge(database: Warehouse, account: ReadAccount, _: AccountsResource) -> RefreshCounts:
        return refresh_evaluated(database, rules, window, as_of, connection_id=account.connection_id, lexicon=lexicon)

    def judge_other(connection_id: str, then: datetime) -> RefreshCounts:
        return refresh_evaluated(warehouse.open(), rules, window, then, connection_id=connection_id, lexicon=lexicon)

    with explained(context):
        readers = (retailcrm, tbank)
        rules, lexicon = policy.load(), policy.lexicon()
        window = span.reading_window(TIME_ZONE, rules.reread_days)
        as_of = min(window.end, Settings().now().replace(microsecond=0))
        counts = over_accounts(context, readers, warehouse, judge)
        others = over_others(context, warehouse.open(), list(everybody(readers, warehouse.open())), judge_other)
        days = {table: by_day(warehouse.open(), ("evaluated", table), span, TIME_ZONE) for table in TABLES}
    for table in TABLES:
        for day, numbers in days[table].items():
            context.add_asset_metadata(numbers, asset_key=["evaluated", table], partition_key=day)
        yield dg.MaterializeResult(
            asset_key=["evaluated", table],
            metadata={
                "accounts": len(counts),
                "other_connections": len(others),
                "contacts_judged": sum(one.contacts for one in (*counts, *others)),
                "messages_read": sum(one.messages for one in (*counts, *others)),
                "definition_version": DEFINITION_VERSION,
                "policy": rules.hash[:12],
                "lexicon": lexicon.hash[:12],
            },
        )
