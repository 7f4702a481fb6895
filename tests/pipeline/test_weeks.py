"""Fourteen days and two weeks through the chain: rows, numbers per day, marts, and nothing new the second time."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from assets.marts.dbt import Built
from assets.marts.description import marts
from conversations.window import Window
from orchestration import runner
from orchestration.definitions import defs
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.pipeline.conftest import FIRST, LAST, WEEKS, environment
from tests.pipeline.counting import BEHAVIOUR, agrees_with_behaviour, agrees_with_waits, persons, rows
from tests.warm_python import WarmPython

DAILY = ["raw/retailcrm__messages", "raw/retailcrm__dialogs", "raw/retailcrm__customers", "raw/retailcrm__orders",
         "core/messages", "core/events", "core/orders",
         "evaluated/waits", "evaluated/sessions", "evaluated/left_waiting",
         "marts/manager_day", "marts/channel_day"]  # fmt: skip
WEEKLY = ["marts/manager_week", "marts/channel_week", "marts/data_status"]


@pytest.fixture(scope="module")
def loaded(connected: Warehouse, instance: dg.DagsterInstance) -> list[runner.RunSummary]:
    return _run(instance)


def _run(instance: dg.DagsterInstance) -> list[runner.RunSummary]:
    return [*runner.run_weeks(*WEEKS, instance=instance), runner.publish_days(FIRST, LAST, instance=instance)]


def test_one_run_per_step_loads_the_range(loaded: list[runner.RunSummary], instance: dg.DagsterInstance) -> None:
    assert [(summary.job, summary.first, summary.last) for summary in loaded] == [
        ("load_daily", FIRST.isoformat(), LAST.isoformat()),
        ("publish_week", FIRST.isoformat(), (LAST - timedelta(days=6)).isoformat()),
        ("publish_days", FIRST.isoformat(), LAST.isoformat()),
    ]
    assert [run.job_name for run in instance.get_runs()] == ["publish_days", "publish_week", "load_daily"]
    keys = {(FIRST + timedelta(days=n)).isoformat() for n in range(14)}
    for name in DAILY:
        assert set(instance.get_materialized_partitions(dg.AssetKey(name.split("/")))) == keys, name
    for name in WEEKLY:
        assert len(instance.get_materialized_partitions(dg.AssetKey(name.split("/")))) == 2, name


def test_messages_equal_the_ledger(
    loaded: list[runner.RunSummary], account: RetailCRMEmulator, connected: Warehouse
) -> None:
    window = Window.of_days(FIRST, LAST, "Europe/Moscow")
    told = account.ledger.rows("messages", window.start, window.end)
    with connected.connect() as sql:
        stored = sql.execute(
            """
            select external_id from raw.retailcrm__messages
            where event_at >= %s and event_at < %s and gone_at is null
            """,
            [window.start, window.end],
        ).fetchall()
    assert sorted(row[0] for row in stored) == sorted(str(one) for one in told)


def test_every_day_shows_at_least_three_numbers_of_its_own(
    loaded: list[runner.RunSummary], instance: dg.DagsterInstance
) -> None:
    for name in [*DAILY, *WEEKLY]:
        key = dg.AssetKey(name.split("/"))
        seen = []
        for partition in instance.get_materialized_partitions(key):
            (record,) = instance.fetch_materializations(
                dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition]), limit=1
            ).records
            metadata = record.asset_materialization.metadata
            numbers = {
                label: value.value for label, value in metadata.items() if isinstance(value, dg.IntMetadataValue)
            }
            assert "dagster/partition_row_count" in numbers, (name, partition)
            assert len(numbers) >= 3, (name, partition)
            seen.append(numbers["dagster/partition_row_count"])
        if name in ("raw/retailcrm__messages", "core/messages", "evaluated/waits"):
            assert len(set(seen)) > 7, f"{name}: the days are told apart"


def test_all_checks_were_judged_and_passed(loaded: list[runner.RunSummary]) -> None:
    judged = {(check.asset, check.name) for summary in loaded for check in summary.checks}
    graph = defs.resolve_asset_graph()
    # those of imported files are judged where a file comes in (test_drop_folder)
    files = defs.resolve_job_def("import_file").asset_layer.asset_graph.asset_check_keys
    # and those of scorecards where something is bought (test_scoring)
    of_scoring = defs.resolve_job_def("score_days").asset_layer.asset_graph.asset_check_keys
    bought = {key for key in of_scoring if key.asset_key.path[0] == "evaluated"}
    declared = {(".".join(key.asset_key.path), key.name) for key in graph.asset_check_keys - files - bought}
    assert judged == declared
    assert not [check for summary in loaded for check in summary.checks if not check.passed]


def test_channel_weeks_are_the_waits_counted_by_hand(loaded: list[runner.RunSummary], connected: Warehouse) -> None:
    with connected.connect() as sql:
        waits = sql.execute(
            """
            select settled_week, channel_id, outcome, wait_seconds, wait_business_seconds, is_first_reply
            from evaluated.waits where wait_kind = 'message' and settled_week = any(%s)
            """,
            [list(WEEKS)],
        ).fetchall()
        shown = {(row["week"], row["channel_id"]): row for row in rows(sql, "marts.channel_week")}
    groups: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for week, channel, *rest in waits:
        groups[week, channel].append(rest)
    assert {key for key, row in shown.items() if row["waits_settled"] or row["not_required"]} == set(groups)
    for key, found in groups.items():
        agrees_with_waits(shown[key], found)


def test_manager_weeks_are_the_waits_counted_by_hand(loaded: list[runner.RunSummary], connected: Warehouse) -> None:
    with connected.connect() as sql:
        waits = sql.execute(
            """
            select settled_week, owner_manager_id, outcome_manager, manager_wait_seconds,
                manager_wait_business_seconds, is_first_reply
            from evaluated.waits where wait_kind = 'message' and settled_week = any(%s)
            """,
            [list(WEEKS)],
        ).fetchall()
        shown = {(row["week"], row["manager_id"]): row for row in rows(sql, "marts.manager_week")}
        person = persons(sql)
    groups: dict[tuple[str, str | None], list[Any]] = defaultdict(list)
    for week, manager, *rest in waits:
        groups[week, person.get(manager)].append(rest)
    assert set(groups) <= set(shown)
    for key, row in shown.items():
        agrees_with_waits(row, groups.get(key, []))
    nobody = [row for row in shown.values() if row["manager_id"] is None]
    assert nobody and all((row["manager_key"], row["manager_name"]) == ("none", "Без менеджера") for row in nobody)


@pytest.mark.parametrize(
    ("mart", "owner"), [("marts.manager_week", "manager_id"), ("marts.channel_week", "channel_id")]
)
def test_behaviour_is_counted_by_hand(
    loaded: list[runner.RunSummary], connected: Warehouse, mart: str, owner: str
) -> None:
    groups: dict[tuple[str, str | None], list[Any]] = defaultdict(list)
    with connected.connect() as sql:
        person = persons(sql)
        query = BEHAVIOUR.format(
            period="ended_week", owner=owner, good="is_good" if owner == "manager_id" else "is_good_customer"
        )
        for week, whose, *found in sql.execute(query, [list(WEEKS)]):
            groups[week, person.get(whose, whose)].append(found)
        shown = {(row["week"], row[owner]): row for row in rows(sql, mart)}
    assert groups and set(groups) <= set(shown)
    for key, row in shown.items():
        agrees_with_behaviour(row, groups.get(key, []))


def test_sessions_touched_are_those_with_a_reply_of_the_manager(
    loaded: list[runner.RunSummary], connected: Warehouse
) -> None:
    with connected.connect() as sql:
        sessions = sql.execute(
            "select conversation_id, started_at, last_message_at, ended_week, session_id from evaluated.sessions "
            "where ended_week = any(%s)",
            [list(WEEKS)],
        ).fetchall()
        replies = sql.execute(
            """
            select conversation_id, sent_at, manager_id from core.messages
            where is_public and delivery_status <> 'failed' and case content_kind
                when 'reaction' then false
                when 'call' then sender_kind in ('customer', 'manager') and call_answered
                else sender_kind = 'manager'
            end
            """
        ).fetchall()
        shown = {(row["week"], row["manager_id"]): row["sessions_touched"] for row in rows(sql, "marts.manager_week")}
        person = persons(sql)
    by_chat = defaultdict(list)
    for chat, sent_at, manager in replies:
        by_chat[chat].append((sent_at, manager))
    touched: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for chat, begin, end, week, session in sessions:
        for sent_at, manager in by_chat[chat]:
            if begin <= sent_at <= end:
                touched[week, person.get(manager)].add(session)
    assert {key: count for key, count in shown.items() if count} == {key: len(ids) for key, ids in touched.items()}


def test_published_tables_say_what_they_hold(loaded: list[runner.RunSummary], connected: Warehouse) -> None:
    with connected.connect() as sql:
        for mart in marts():
            comments = sql.execute(
                "select attname, col_description(attrelid, attnum), attnotnull from pg_attribute "
                "where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum",
                [f"marts.{mart.name}"],
            ).fetchall()
            assert comments == [(column.name, column.description, not column.is_nullable) for column in mart.columns]
    with connected.analyst_engine().connect() as analyst:
        from sqlalchemy import text

        assert analyst.execute(text("select count(*) from marts.manager_week")).scalar_one() > 0
        assert {row[0] for row in analyst.execute(text("select status from marts.data_status"))} == {"ok"}


def test_the_second_run_changes_nothing(
    loaded: list[runner.RunSummary], connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    def state() -> tuple[dict[str, str], list[tuple[str, ...]]]:
        """Everything but the moments at which the account was asked and read and checklists looked at, which is what
        the second run did."""
        hashes = table_hashes(connected)
        del hashes["ops.connections"], hashes["reference.requirement_looks"]
        with connected.connect() as sql:
            accounts = sql.execute(
                "select connection_id, origin, settings::text, status from ops.connections order by 1"
            )
            return hashes, accounts.fetchall()

    before = state()
    again = _run(instance)
    assert state() == before
    assert [summary.rows for summary in again] == [summary.rows for summary in loaded]


def test_a_kill_in_the_middle_of_the_swap_leaves_the_old_week(
    loaded: list[runner.RunSummary], connected: Warehouse, warm_python: WarmPython
) -> None:
    before = table_hashes(connected, ("marts",))
    with connected.connect() as sql:
        sql.execute("update marts.manager_week set pending_now = pending_now + 1")
    tampered = table_hashes(connected, ("marts",))
    assert tampered != before
    script = (
        "from resources.settings import Settings; from resources.warehouse.engine import Warehouse;"
        "from resources.warehouse.roles import Role; from assets.marts.publish import swap;"
        f"swap(Warehouse.open(Settings(), Role.PUBLISHER), {list(WEEKS)!r})"
    )
    for point in ("publish.between_marts", "publish.before_commit"):
        killed = warm_python.run(script, environment={**environment(), "FAILPOINT": f"{point}:1"})
        assert killed.returncode == -9, killed.stdout
        assert table_hashes(connected, ("marts",)) == tampered
    warm_python.run(script, environment=environment(), check=True)
    assert table_hashes(connected, ("marts",)) == before


def test_a_swap_that_fails_marks_the_weeks(
    loaded: list[runner.RunSummary], connected: Warehouse, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise psycopg.errors.DiskFull("no space")

    before = table_hashes(connected, ("marts",))
    monkeypatch.setattr("assets.marts.weeks._built", lambda *_: Built({}, ()))
    monkeypatch.setattr("assets.marts.weeks.swap", full)
    with pytest.raises(runner.RunFailed, match="is full: free some space"):
        runner.publish_weeks(WEEKS[1], WEEKS[1], instance=instance)
    with connected.connect() as sql:
        stale = sql.execute("select week, bool_and(is_stale) from marts.data_status group by 1 order by 1").fetchall()
        sql.execute("update marts.data_status set is_stale = false")
    assert stale == [(WEEKS[0], False), (WEEKS[1], True)]
    assert table_hashes(connected, ("marts",)) == before


def test_a_selection_runs_only_what_it_names(connected: Warehouse, instance: dg.DagsterInstance) -> None:
    summary = runner.run_days(LAST, LAST, ["core/messages"], instance=instance)
    assert set(summary.rows) == {
        "core.messages", "core.events", "core.orders", "core.calls", "core.call_transcripts",
    }  # fmt: skip
    with pytest.raises(ValueError, match="names nothing of load_daily"):
        runner.run_days(LAST, LAST, ["marts"], instance=instance)


def test_a_single_day_reads_the_last_week_once_more(
    loaded: list[runner.RunSummary], account: RetailCRMEmulator, connected: Warehouse, instance: dg.DagsterInstance
) -> None:
    with connected.connect() as sql:
        windows = "select window_start from ops.cursors where stream = 'messages' order by window_start"
        before = set(sql.execute(windows).fetchall())
    runner.run_days(LAST, LAST, instance=instance)
    with connected.connect() as sql:
        (new,) = set(sql.execute(windows).fetchall()) - before
    assert new[0] == Window.of_day(date(2026, 11, 9), "Europe/Moscow").start


def test_the_shop_shows_every_case(loaded: list[runner.RunSummary], connected: Warehouse) -> None:
    """Two weeks hold a third of what the demo's six promise: each outcome and case at least 20 times."""
    share = 20 * 2 / 6
    with connected.connect() as sql:
        outcomes = dict(sql.execute("select outcome, count(*) from evaluated.waits group by 1").fetchall())
        cases = sql.execute(
            """
            select
                count(handoff_at) as handed_off,
                count(first_bot_reply_seconds) as greeted_by_a_machine,
                count(*) filter (where had_failed_reply) as failed_reply,
                count(*) filter (where closed_unanswered) as closed_unanswered,
                count(answered_after_limit_at) as answered_late,
                count(*) filter (where owner_manager_id is null) as nobodys,
                (select count(*) from evaluated.left_waiting) as left_waiting,
                (select count(*) from evaluated.sessions where is_bot_only) as bot_only
            from evaluated.waits
            """
        ).fetchone()
        median, ninth = sql.execute(
            "select percentile_cont(0.5) within group (order by wait_seconds),"
            " percentile_cont(0.9) within group (order by wait_seconds) from evaluated.waits"
        ).fetchone()  # type: ignore[misc]
    assert set(outcomes) == {
        "in_target", "slow_reply", "no_reply", "window_expired", "not_required", "bot_handled", "pending"
    }  # fmt: skip
    assert min(outcomes.values()) >= share, outcomes
    assert cases is not None
    assert min(cases) >= share, cases
    assert ninth >= 5 * median
