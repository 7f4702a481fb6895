"""Who is who: accounts joined to people, people to their teams, ids of customers to their human.

Here: the tables as assets; people's list of customers is brought by a person. Not here: how they are written
(``resources.warehouse.reference``, ``resources.warehouse.customer_links``), what the policy may say
(``conversations.policy_people``), whom a number joins (``conversations.identities``).
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.failures import explained
from assets.tables import DAILY_FRESHNESS, described, spec
from resources.warehouse.customer_links import refresh_links, weeks_concerned
from resources.warehouse.errors import Busy
from resources.warehouse.reference import replace_people
from resources.warehouse.roles import Role
from resources.warehouse_resource import PolicyResource, WarehouseResource

CUSTOMER_LIST = spec("reference", "customer_list", kinds={"file", "postgres"})
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


@dg.asset(
    **described("reference", "customer_links"),
    deps=[
        dg.AssetKey(["reference", "customer_list"]),
        *(dg.AssetKey(["core", table]) for table in ("customers", "conversations", "channels")),
    ],
    freshness_policy=DAILY_FRESHNESS,
)
def customer_links(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
) -> dg.MaterializeResult:
    """Which ids of customers are one human: people's list first, then the numbers that a telephony knows.

    Whoever is concerned by a change is judged again by the steps that follow. While somebody else works on an account
    that is concerned, yesterday's links hold: a night is not lost for them.
    """
    with explained(context):
        try:
            counts = refresh_links(warehouse.open(), by_number=policy.load().customers.link_by_number)
            weeks = weeks_concerned(warehouse.open(Role.PUBLISHER)) if counts.regrouped else []
        except Busy as error:
            context.log.warning(f"The links of customers stay as they were until the next run: busy: {error}")
            return dg.MaterializeResult(metadata={"busy": True})
    if weeks:
        context.log.info(
            f"Links of {counts.regrouped} customer(s) changed, {counts.parted} of them parted. Published weeks "
            f"{', '.join(weeks)} stay as they were shown until they are published again (otklik run --week)."
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": counts.customers - counts.people,
            "people": counts.people,
            "linked_by_number": counts.by_number,
            "numbers_that_join_nobody": counts.shared_numbers,
            "conversations_judged_again": counts.conversations,
            "customers_regrouped": counts.regrouped,
            "customers_parted": counts.parted,
            "published_weeks_concerned": len(weeks),
            "published_weeks": ", ".join(weeks),
        }
    )
