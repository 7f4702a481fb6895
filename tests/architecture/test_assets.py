"""Every asset explains itself, has a place, an owner and a check; jobs and schedules are those that people expect."""

from __future__ import annotations

import doctest
import importlib

import dagster as dg
import pytest

from assets.checks.requirements import NAMES
from assets.marts.description import marts
from orchestration.definitions import build_defs, defs
from orchestration.pools import POOLS
from resources.warehouse.schema import metadata

GRAPH = defs.resolve_asset_graph()
NODES = sorted(GRAPH.asset_nodes, key=lambda node: node.key)
RUN = [node for node in NODES if node.is_executable]
LAYERS = ("raw", "core", "reference", "evaluated", "marts", "exports")
TABS = {
    "read_me", "weekly_digest_managers", "weekly_digest_channels", "manager_report", "weekly_trend", "weekly_examples",
    "chat_advice", "weekly_behavior_delta_managers", "behavior_snapshot_managers", "manager_summary", "channel_summary",
    "chats_raw", "messages_raw", "data_status", "calls_and_chats", "call_results",
}  # fmt: skip


BROUGHT = {f"{source}__{stream}" for source in ("whatsapp_export", "telegram_export", "table_import")
           for stream in ("chats", "messages")}  # fmt: skip
"""Files come when a person brings them: no clock can miss them."""
BOUGHT = [["evaluated", table] for table in ("scorecards", "scorecard_criteria", "scorecard_notes", "evaluations")]
"""Not every day of a backfill in one run: a purchase that goes wrong ends after a week's talks."""
BLOCKS_NOTHING = {"every_account_was_worked_on", "every_file_was_imported", "every_row_was_understood", *NAMES,
                  "operators_are_known", "calls_have_transcripts", "no_counted_criterion_fell",
                  "most_talks_are_scored", "apps_script_was_run"}  # fmt: skip


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.key.to_user_string())
def test_an_asset_explains_itself(node: dg.AssetsDefinition) -> None:
    layer, name = node.key.path
    assert layer in LAYERS
    assert node.group_name == layer
    assert node.description
    assert node.owners
    assert node.kinds
    assert node.tags["pii"]
    columns = node.metadata["dagster/column_schema"].columns
    assert columns and all(column.description for column in columns)
    table = metadata.tables.get(f"{layer}.{name}")
    if table is not None:
        assert [column.name for column in columns] == [column.name for column in table.columns]
    elif layer == "exports":
        assert name in {f"google_sheets__{tab}" for tab in TABS} | {"telegram_digest"}
    else:
        assert name in {mart.name for mart in marts()}


def test_every_table_is_an_asset() -> None:
    known = {".".join(node.key.path) for node in NODES}
    tables = {name for name in metadata.tables if name.split(".")[0] in LAYERS} - {"core.quarantine"}
    tabs = {f"exports.google_sheets__{tab}" for tab in TABS} | {"exports.telegram_digest"}
    assert known == tables | {f"marts.{mart.name}" for mart in marts()} | tabs


@pytest.mark.parametrize("node", RUN, ids=lambda node: node.key.to_user_string())
def test_an_asset_is_checked_fresh_and_backfilled_in_one_run(node: dg.AssetsDefinition) -> None:
    checks = GRAPH.get_check_keys_for_assets({node.key})
    assert checks
    for key in checks:
        spec = GRAPH.get_check_spec(key)
        assert spec.description
        # one broken account must not keep the others from being judged, nor one broken file
        assert spec.blocking == (key.name not in BLOCKS_NOTHING)
    assert (node.freshness_policy is not None) == (node.key.path[1] not in BROUGHT)
    if node.is_partitioned:
        costs_money = node.key.path in BOUGHT
        weekly_runs, one_run = dg.BackfillPolicy.multi_run(max_partitions_per_run=7), dg.BackfillPolicy.single_run()
        assert node.backfill_policy == (weekly_runs if costs_money else one_run)


def test_work_on_accounts_and_publishing_are_pooled() -> None:
    for node in RUN:
        # who is who is written in a moment, by whichever run comes first
        pools = {"marts": {"marts"}, "exports": {"sheets"}, "reference": set()}
        expected = {"imports"} if node.key.path[1] in BROUGHT else pools.get(node.key.path[0], {"retailcrm"})
        if node.key.path in BOUGHT:
            expected = {"scoring"}
        assert set(node.pools or ()) == expected, node.key


def test_jobs_run_at_the_agreed_times_in_one_process() -> None:
    jobs = {name: defs.resolve_job_def(name) for name in ("load_daily", "score_days", "publish_days", "publish_week")}
    repository = defs.get_repository_def()
    times = {name: (repository.get_schedule_def(f"{name}_schedule").cron_schedule,
                    repository.get_schedule_def(f"{name}_schedule").execution_timezone) for name in jobs}  # fmt: skip
    assert len(repository.schedule_defs) == 4
    assert times == {
        "load_daily": ("10 3 * * *", "Europe/Moscow"),
        "score_days": ("10 6 * * *", "Europe/Moscow"),
        "publish_days": ("10 7 * * *", "Europe/Moscow"),
        "publish_week": ("10 8 * * 1", "Europe/Moscow"),
    }
    assert all(job.executor_def.name == "in_process" for job in jobs.values())
    assert {key.path[0] for key in jobs["load_daily"].asset_layer.selected_asset_keys} == {
        "raw", "core", "reference", "evaluated",
    }  # fmt: skip
    # who reads days anew buys nothing
    assert not [key for key in jobs["load_daily"].asset_layer.selected_asset_keys if [*key.path] in BOUGHT]
    assert {key.path[0] for key in jobs["publish_week"].asset_layer.selected_asset_keys} == {
        "reference", "marts", "exports",
    }  # fmt: skip


def test_no_step_is_tried_again_by_dagster() -> None:
    """D12: one retry layer per call, and that is the client's."""
    for name in ("load_daily", "publish_week"):
        nodes = defs.resolve_job_def(name).nodes
        assert nodes and not [node.name for node in nodes if node.definition.retry_policy is not None]


def test_the_declared_pools_are_those_of_the_assets() -> None:
    assert sorted({pool for node in RUN for pool in node.pools}) == list(POOLS)


def test_a_resource_can_be_swapped() -> None:
    class Other(dg.ConfigurableResource):
        pass

    swapped = build_defs({"retailcrm": Other()})
    assert isinstance((swapped.resources or {})["retailcrm"], Other)


@pytest.mark.parametrize(
    "module", ["assets.spans", "assets.partitions", "orchestration.partitions", "resources.settings"]
)
def test_examples_in_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted and not result.failed
