"""The pools of the assets, made known to Dagster before its queue sees the first run.

Here: their names, and making them known. Not here: which asset is in which pool (``assets``), their limit
(``dagster.yaml``).

Dagster writes down a pool when a queued run names it for the first time, and that very look at the queue knows no limit
for it yet: of the first backfill of an installation two runs were let in at once, and one of them found the account
busy.
"""

from __future__ import annotations

import dagster as dg

POOLS = ("imports", "marts", "retailcrm", "scoring", "sheets")


def declare_pools(instance: dg.DagsterInstance) -> None:
    """Give every pool that Dagster does not know yet the default limit; a limit that somebody set stays."""
    known = {pool.name for pool in instance.event_log_storage.get_pool_limits()}
    for pool in POOLS:
        if pool not in known:
            instance.event_log_storage.initialize_concurrency_limit_to_default(pool)
