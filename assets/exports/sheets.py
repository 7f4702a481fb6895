"""The tabs of the spreadsheet as assets: read in one snapshot, judged, and only then shown.

Here: the order of it, and what is said when it fails. Not here: what stands in the tabs (``frames``, ``status``), how
they are shown (``publication``).

A failed check, or one that could not be run, shows nothing: what was shown last stays, and the tab data_status says
that it is stale and why (promise F29). The same holds when the marts of a week could not be published.
"""

# Dagster looks at the annotations themselves: no `from __future__ import annotations` in this module.

from collections.abc import Iterator

import dagster as dg

from assets.checks.exports import Shown, asset_of, judge_tabs, not_judged, specs
from assets.checks.judge import named
from assets.exports import frames, publication, script, status
from assets.exports.frames import (
    ADVICE,
    BESIDE,
    CHANNELS,
    CHATS,
    DELTAS,
    DIGEST_CHANNELS,
    DIGEST_MANAGERS,
    EXAMPLES,
    MANAGERS,
    MESSAGES,
    OF_TALKS,
    ORDER,
    README,
    REPORT,
    RESULTS,
    SNAPSHOTS,
    TREND,
)
from assets.exports.snapshot import NothingPublished, read
from assets.exports.stale import said_stale
from assets.exports.status_columns import COLUMNS, STATUS
from assets.failures import explained
from assets.partitions import TIME_ZONE
from assets.tables import OWNERS, WEEKLY_FRESHNESS
from resources.settings import Settings
from resources.sheets import InvalidTab
from resources.sheets_resource import SheetsResource
from resources.warehouse.exports import destination_of, exporting
from resources.warehouse.roles import Role
from resources.warehouse_resource import PolicyResource, WarehouseResource

_LISTS = [["core", "messages"], ["core", "conversations"], ["core", "customers"], ["core", "managers"],
          ["core", "channels"], ["reference", "people"], ["reference", "person_teams"], ["core", "events"]]  # fmt: skip
_TALKS = [["core", "messages"], ["core", "conversations"], ["core", "channels"]]


def _marts(*names: str) -> list[list[str]]:
    return [["marts", name] for name in names]


_READS = {
    README: _marts("data_status"),
    DIGEST_MANAGERS: _marts("manager_week", "manager_week_delta"),
    DIGEST_CHANNELS: _marts("channel_week", "channel_week_delta"),
    REPORT: _marts("manager_week", "manager_week_delta", "behavior_snapshot", "published_waits", "published_sessions"),
    TREND: _marts("channel_week"),
    EXAMPLES: [*_marts("weekly_examples"), *_TALKS],
    ADVICE: [*_marts("chat_advice"), *_TALKS],
    DELTAS: _marts("manager_week_delta"),
    SNAPSHOTS: _marts("behavior_snapshot", "week_revisions", "manager_week"),
    BESIDE: _marts("manager_week", "call_results"),
    RESULTS: [
        *_marts("call_results"),
        ["evaluated", "scorecards"],
        ["evaluated", "evaluations"],
        ["evaluated", "scorecard_criteria"],
        ["evaluated", "scorecard_notes"],
        ["reference", "rubrics"],
    ],
    MANAGERS: _marts("manager_week"),
    CHANNELS: _marts("channel_week"),
    CHATS: [["marts", "data_status"], ["evaluated", "waits"], *_LISTS],
    MESSAGES: [["marts", "data_status"], *_LISTS[:-1]],
    STATUS: [["marts", "data_status"], *(asset_of(title).path for title in ORDER if title != README)],
}
_PII = {
    **dict.fromkeys((README, DIGEST_CHANNELS, TREND, CHANNELS, STATUS), "none"),
    **dict.fromkeys((DIGEST_MANAGERS, REPORT, BESIDE, DELTAS, SNAPSHOTS, MANAGERS, CHATS), "name"),
    **dict.fromkeys((EXAMPLES, ADVICE, RESULTS, MESSAGES), "content"),
}
_DESCRIPTIONS = {
    README: "What every tab, column, state and colour means, and as of when the newest week is.",
    DIGEST_MANAGERS: "One row per manager of the newest published week against the week before.",
    DIGEST_CHANNELS: "One row per channel account of the newest published week against the week before.",
    REPORT: "One row per manager of the newest week: his place as far as the counts carry it, and what to train.",
    TREND: "One row per published week of all channels together.",
    EXAMPLES: "Three to five talks per manager and week to go through, from marts.weekly_examples.",
    ADVICE: "One row per advice on a chat, from marts.chat_advice, in words.",
    BESIDE: "One row per manager of the newest week, calls and chats beside each other; shown once there are calls or"
    " scores.",
    RESULTS: "One row per judged call with marks, proofs and advice; shown once there are calls or scores.",
    DELTAS: "One row per manager, metric and week against the week before, from marts.manager_week_delta.",
    SNAPSHOTS: "One row per manager and week as published last, with the revision and why it was made.",
    MANAGERS: "One row per manager and week of the newest published weeks, from marts.manager_week.",
    CHANNELS: "One row per channel account and week of the newest published weeks, from marts.channel_week.",
    CHATS: "One row per chat in which somebody wrote in the newest published weeks, the latest first.",
    MESSAGES: "One row per message of those weeks, chat by chat; texts as the policy lets them out.",
    STATUS: "One row per tab and week: as of when it is, complete or not, stale or not, and why.",
}


class SheetsConfig(dg.Config):
    """What a person may ask of one run."""

    rewrite: bool = False
    """Write also what has not changed since: for a tab that somebody broke by hand."""


def _spec(title: str) -> dg.AssetSpec:
    made = (
        [(column.name, column.kind, source) for column, source in COLUMNS]
        if title == STATUS
        else [(one.column.name, one.column.kind, one.source) for one in frames.columns_of(title, has_talks=True)]
    )
    columns = [dg.TableColumn(name, str(kind), description=f"Shows {source}") for name, kind, source in made]
    return dg.AssetSpec(
        asset_of(title),
        deps=[dg.AssetKey(path) for path in _READS[title]],
        group_name="exports",
        description=_DESCRIPTIONS[title],
        owners=OWNERS,
        kinds={"pandas", "googlesheets"},
        tags={"pii": _PII[title]},
        metadata={"tab": title, "dagster/column_schema": dg.TableSchema(columns=columns)},
        freshness_policy=WEEKLY_FRESHNESS,
    )


@dg.multi_asset(
    name="exports_sheets",
    specs=[_spec(title) for title in (*ORDER, STATUS)],
    check_specs=[*specs(), script.SPEC],
    pool="sheets",
)
def exports_sheets(
    context: dg.AssetExecutionContext,
    config: SheetsConfig,
    warehouse: WarehouseResource,
    policy: PolicyResource,
    sheets: SheetsResource,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Show the newest published weeks in the spreadsheet; without one end green and write nothing."""
    with said_stale(context, warehouse, sheets), explained(context):
        account = sheets.account(warehouse.open())
    if account is None:
        yield from not_judged()
        yield script.not_called("No spreadsheet is connected: nothing was exported.")
        for title in (*ORDER, STATUS):
            yield dg.MaterializeResult(asset_key=asset_of(title), metadata={"shown": "no spreadsheet configured"})
        return
    destination = destination_of(account.spreadsheet_id)
    with (
        said_stale(context, warehouse, sheets),
        explained(context),
        # from before the tabs are read: of two runs the one that read later must be the one that writes last
        exporting(warehouse.open(Role.PUBLISHER), destination),
    ):
        shown = _built(warehouse, policy)
        results = judge_tabs(shown)
        yield from results
        _refuse(results)
        with sheets.client(warehouse.open(), account) as client:
            try:
                published = publication.show(
                    warehouse.open(Role.PUBLISHER), client, account.spreadsheet_id, list(shown.sheets.values()),
                    shown.known, now=Settings().now(), time_zone=TIME_ZONE, rewrite=config.rewrite,
                )  # fmt: skip
            except InvalidTab as error:
                raise dg.Failure(
                    f"The spreadsheet was not written: {error}. Show fewer weeks or rows: exports in policy.yaml.",
                    metadata={"reason": "invalid_tab"},
                    allow_retries=False,
                ) from error
    # what is shown is shown, whatever becomes of the script
    hashes = {title: tab.content_hash for title, tab in published.tabs.items()}
    yield script.after_export(warehouse.open(Role.PUBLISHER), hashes, Settings().now())
    for title in (title for title in OF_TALKS if title not in published.tabs):
        yield dg.MaterializeResult(asset_key=asset_of(title), metadata={"shown": "no call and no score yet"})
    for title, tab in published.tabs.items():
        yield dg.MaterializeResult(
            asset_key=asset_of(title),
            metadata={
                "dagster/row_count": tab.rows,
                "was_written": tab.changed,
                "calls_of_all_tabs": published.calls,
                "is_decorated": published.is_decorated,
                "weeks": f"{next(reversed(shown.snapshot.weeks))} … {next(iter(shown.snapshot.weeks))}",
            },
        )


def _built(warehouse: WarehouseResource, policy: PolicyResource) -> Shown:
    rules = policy.load()
    try:
        snapshot = read(warehouse.open(Role.PUBLISHER), rules.exports, TIME_ZONE)
    except NothingPublished:
        raise dg.Failure(
            "There is nothing to show yet: no week was published, or none by this version. Publish one first "
            "(otklik run --week 2026-W46).",
            metadata={"reason": "nothing_published"},
            allow_retries=False,
        ) from None
    called = Settings().results_sheet_name
    names = {RESULTS: called} if called else {}
    sheets = {sheet.title: sheet for sheet in frames.sheets(snapshot, rules, names)}
    known = {title: status.known_weeks(snapshot, sheet) for title, sheet in sheets.items()}
    return Shown(snapshot, sheets, known, rules.exports.texts)


def _refuse(results: list[dg.AssetCheckResult]) -> None:
    failed = [result for result in results if not result.passed]
    if failed:
        raise dg.Failure(
            f"The spreadsheet was not written: {named(failed)}. What was shown before stays and is marked stale in the "
            "tab data_status. Cure what the checks name and publish again.",
            metadata={"reason": "failed_check", "failed_checks": [result.check_name for result in failed]},
            allow_retries=False,
        )
