"""Who is who: accounts joined to people, people to their teams, ids of customers to their human.

Here: the tables as assets; the first two whole each time, the third brought by a person. Not here: how they are written
(``resources.warehouse.reference``), what the policy may say (``conversations.policy_people``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.failures import explained
from assets.tables import DAILY_FRESHNESS, spec
from resources.warehouse.reference import replace_people
from resources.warehouse_resource import PolicyResource, WarehouseResource

CUSTOMER_LINKS = spec("reference", "customer_links", kinds={"file", "postgres"})
"""Written by a person with ``otklik link-customers``: what comes from a person has no schedule."""
# accounts that are read through the CRM's page list no people: their managers come with their messages
_DEPS = [dg.AssetKey(["core", "managers"]), dg.AssetKey(["core", "messages"])]


@dg.multi_asset(
    name="reference_people",
    specs=[
        spec("reference", table, deps=_DEPS, freshness_policy=DAILY_FRESHNESS) for table in ("people", "person_teams")
    ],
)
def reference_people(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
) -> Iterator[dg.MaterializeResult]:
    """Every account of a manager with the person behind it, and every person's teams by day.

    Part of both jobs: the day brings new managers, and a week is never published by people of an older policy.
    """
    with explained(context):
        counts = replace_people(warehouse.open(), policy.load())
    if counts.missing:
        context.log.warning(
            f"The policy names {len(counts.missing)} account(s) under people that no source knows: not loaded yet, or "
            "misspelt. Compare the section people of the policy with core.managers."
        )
    yield dg.MaterializeResult(
        asset_key=["reference", "people"],
        metadata={
            "dagster/row_count": counts.accounts,
            "people": counts.people,
            "accounts_no_source_knows": len(counts.missing),
            "written": counts.is_written,
        },
    )
    yield dg.MaterializeResult(
        asset_key=["reference", "person_teams"], metadata={"dagster/row_count": counts.stays, "people": counts.people}
    )
