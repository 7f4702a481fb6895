"""Monday's digest as an asset: read from the published marts, judged, and queued once per chat and week.

Here: the order of it. Not here: what it says (``conversations.digest``), how it is queued (``resources.digest``), who
sends it (``otklik watch``).

Only the last closed week is told by itself, and only once, whatever is published again: revision 2 of a week stands in
the spreadsheet, it is no second digest (F20). Incomplete data get a short message in its place, and the digest itself
when the week is published again before it is an old one.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from assets.exports.late import say_late
from assets.failures import explained
from assets.partitions import TIME_ZONE, WEEKLY
from assets.spans import weeks_of
from assets.tables import OWNERS, WEEKLY_FRESHNESS
from conversations.digest import Facts, contradictions, digest_of, is_untold
from conversations.messages.digest import LONGEST, late_data, telegram_text, units
from conversations.window import iso_week
from resources import digest
from resources.settings import Settings
from resources.warehouse.digests import NotPublished
from resources.warehouse.roles import Role
from resources.warehouse_resource import PolicyResource, WarehouseResource

KEY = dg.AssetKey(["exports", "telegram_digest"])
AGREES, FITS = "telegram_digest_agrees_with_the_marts", "telegram_digest_fits_one_message"
_CHECKS = {
    AGREES: "The digest's totals, the published waits behind them, the managers' and the channels' rows say the same.",
    FITS: "The caption has at most 1024 characters after its entities: Telegram refuses a longer one.",
}
_READS = (
    "manager_week", "channel_week", "manager_week_delta", "channel_week_delta", "data_status", "published_waits",
    "behavior_snapshot", "week_revisions",
)  # fmt: skip
_COLUMNS = {
    "week": ("text", "ISO week: the last closed one"),
    "chat": ("text", "Whom it goes to: the policy's chats, else the operators'"),
    "caption": ("text", "marts: company, main changes, who is named, what is incomplete; link to the spreadsheet"),
    "picture": ("bytea", "The company's share by week, answers by manager (PNG)"),
}


@dg.multi_asset(
    name="exports_telegram_digest",
    specs=[
        dg.AssetSpec(
            KEY,
            deps=[["marts", name] for name in _READS],
            group_name="exports",
            description="One message per chat and week: the last closed week in one phone screen, with a picture.",
            owners=OWNERS,
            kinds={"python", "telegram"},
            tags={"pii": "name"},
            metadata={
                "dagster/column_schema": dg.TableSchema(
                    columns=[dg.TableColumn(name, kind, description=said) for name, (kind, said) in _COLUMNS.items()]
                )
            },
            freshness_policy=WEEKLY_FRESHNESS,
        )
    ],
    check_specs=[dg.AssetCheckSpec(name, asset=KEY, description=said, blocking=True) for name, said in _CHECKS.items()],
    partitions_def=WEEKLY,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="sheets",
)
def exports_telegram_digest(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource, policy: PolicyResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Queue the digest of the last closed week, or say why there is none."""
    _, _, mondays = weeks_of(context)
    week = digest.is_due(Settings(), TIME_ZONE, [iso_week(monday) for monday in mondays])
    try:
        with explained(context):
            to = _addressed(warehouse, policy)
            if week is None or not to.chats:
                said = "not the last closed week" if week is None else "nobody to tell: switched off, no bot or no chat"
                yield from (_judged(name, []) for name in _CHECKS)
                yield dg.MaterializeResult(KEY, metadata={"queued": said})
                return
            facts = _facts(warehouse, policy, week, to)
            text = telegram_text(digest_of(facts))
            long = [f"{units(text)} characters"] if units(text) > LONGEST else []
            wrong = {AGREES: contradictions(facts), FITS: long}
            yield from (_judged(name, found) for name, found in wrong.items())
            _refuse(wrong)
            yield dg.MaterializeResult(KEY, metadata={"week": week, **_queued(warehouse, facts, text, to)})
    except dg.Failure as failure:
        reason = failure.metadata.get("reason")
        say_late(context, warehouse, [week] if week else [], str(reason.value) if reason else "unexpected", "exports")
        raise


def _addressed(warehouse: WarehouseResource, policy: PolicyResource) -> digest.Addressed:
    rules = policy.load()
    if not rules.digest.enabled:
        return digest.Addressed((), None)
    # only the loader may read accounts
    with warehouse.open().connect("otklik-accounts") as connection:
        return digest.addressed(Settings(), rules, connection)


def _facts(warehouse: WarehouseResource, policy: PolicyResource, week: str, to: digest.Addressed) -> Facts:
    try:
        return digest.read(warehouse.open(Role.PUBLISHER), week, policy.load(), to.link)
    except NotPublished:
        raise dg.Failure(
            f"There is no digest: week {week} is not published. Publish it first (otklik run --week {week}).",
            metadata={"reason": "nothing_published"},
            allow_retries=False,
        ) from None


def _queued(warehouse: WarehouseResource, facts: Facts, text: str, to: digest.Addressed) -> dict[str, Any]:
    """Queue it, or the short message where the data are too incomplete; what that came to."""
    publisher = warehouse.open(Role.PUBLISHER)
    if is_untold(facts.conditions):
        told = digest.enqueue_late(publisher, facts.week, to, late_data(facts.conditions), is_published=True)
        return {"queued": f"the short message, for {told} of {len(to.chats)} chat(s)", "reason": "incomplete data"}
    from resources.picture import picture

    queued = digest.enqueue(publisher, facts.week, to.chats, text, picture(digest_of(facts)))
    return {
        "queued": f"for {sum(queued.values())} of {len(queued)} chat(s), the others had it",
        "revision": facts.revision,
        "characters": units(text),
    }


def _judged(name: str, wrong: Sequence[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=KEY,
        check_name=name,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"contradictions": len(wrong)},
        description="; ".join(wrong) or None,
    )


def _refuse(wrong: Mapping[str, Sequence[str]]) -> None:
    failed = [name for name, found in wrong.items() if found]
    if failed:
        raise dg.Failure(
            f"The digest was not queued: {', '.join(failed)}. Cure what the checks name and publish the week again.",
            metadata={"reason": "failed_check", "failed_checks": failed},
            allow_retries=False,
        )
