"""Two runs over one account at once: one works, the other ends busy and has asked and written nothing (D4, F19)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from orchestration import runner
from orchestration.cli.app import app
from orchestration.cli.errors import EXIT_BUSY
from resources.settings import Settings
from resources.vault import Vault
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.locks import account_lock
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop
from tests.pipeline.backfiller import KILLED, Backfillers
from tests.pipeline.conftest import environment

MONDAY = date(2026, 11, 16)
DAY = MONDAY - timedelta(days=1)
WHOLE: list[str] = []
MESSAGES = ["raw/retailcrm__messages"]
# how many begin together, and with what; one alone says what one run asks
ROUNDS = [(1, WHOLE), (2, WHOLE), (1, MESSAGES), (2, MESSAGES)]
HELD = 600
"""Longest time, in seconds, that the first of two is kept waiting for the other's end."""


@pytest.fixture(scope="module")
def shop(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RetailCRMEmulator]:
    with pytest.MonkeyPatch.context() as patch, RetailCRMEmulator(Shop.tiny(3, MONDAY), rate=None) as shop:
        variables = {
            "OTKLIK_HOME": str(tmp_path_factory.mktemp("home")),
            "DATABASE_URL": database.url,
            "RETAILCRM_BASE_URL": shop.base_url,
            "RETAILCRM_API_KEY": shop.api_key,
            "RETAILCRM_BOT_TOKEN": shop.bot_token,
            "RETAILCRM_REQUESTS_PER_SECOND": "1000",
            "HTTP_READ_TIMEOUT_SECONDS": str(2 * HELD),
            "HTTP_DEADLINE_SECONDS": str(3 * HELD),
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        yield shop


@pytest.fixture(scope="module")
def processes(shop: RetailCRMEmulator) -> Iterator[Backfillers]:
    with Backfillers(environment()) as processes:
        yield processes


def test_two_backfills_of_one_day_end_equal(
    database: Warehouse, shop: RetailCRMEmulator, processes: Backfillers
) -> None:
    asked: dict[bool, set[int]] = {True: set(), False: set()}
    hashes = []
    for together, select in ROUNDS:
        shop.ledger.clear()
        if together == 2:
            # whoever is first holds the account until the other has ended
            shop.faults.add("slow", path="/messages", seconds=HELD, times=1)
        for _ in range(together):
            processes.begin(DAY, select)
        ends = [processes.end()]
        shop.faults.clear()
        ends += [processes.end() for _ in range(together - 1)]
        assert [code for code, _ in ends] == [EXIT_BUSY, 0][-together:], ends
        assert all(not code or said.startswith("busy: retailcrm is being loaded") for code, said in ends), ends
        asked[select is WHOLE].add(len(shop.ledger.calls))
        hashes.append(table_hashes(database, ("raw", "core", "evaluated")))
    # the busy one asked nothing: two at once ask as often as one alone
    assert len(asked[True]) == len(asked[False]) == 1
    assert all(found == hashes[0] for found in hashes)


def test_a_run_that_dies_before_its_last_word_is_repeated(
    database: Warehouse, shop: RetailCRMEmulator, processes: Backfillers
) -> None:
    with database.connect() as sql:
        sql.execute("update ops.connections set synced_at = null")
    processes.begin(DAY, MESSAGES, "accounts.before_synced:1")
    assert processes.end() == (KILLED, "")
    assert _synced(database) == [None]
    with dg.DagsterInstance.ephemeral() as instance:
        runner.run_days(DAY, DAY, MESSAGES, instance=instance)
    assert _synced(database) != [None]


def test_a_step_of_each_layer_says_busy(database: Warehouse, shop: RetailCRMEmulator) -> None:
    before = table_hashes(database)
    shop.ledger.clear()
    with (
        database.connect(autocommit=True) as other,
        account_lock(other, "retailcrm"),
        dg.DagsterInstance.ephemeral() as instance,
    ):
        for select in ("raw", "core", "evaluated"):
            with pytest.raises(
                runner.RunFailed, match=r"^busy: retailcrm is being loaded by another process"
            ) as caught:
                runner.run_days(DAY, DAY, [select], instance=instance)
            events = [entry.dagster_event for entry in instance.all_logs(caught.value.summary.run_id)]
            failed = [event for event in events if event is not None and event.is_step_failure]
            assert {event.step_failure_data.user_failure_data.metadata["reason"].value for event in failed} == {"busy"}
    assert not shop.ledger.calls
    assert table_hashes(database) == before


def test_a_file_waits_its_turn_as_well(
    database: Warehouse, shop: RetailCRMEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(__file__).parents[1] / "fixtures" / "twitter_care_conversations.json"
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    before = table_hashes(database)
    with database.connect(autocommit=True) as other, account_lock(other, "desk"):
        refused = CliRunner().invoke(app, ["import", str(file), "--format", "twitter-care", "--connection", "desk"])
    assert refused.exit_code == EXIT_BUSY
    assert "это уже делает другой запуск" in refused.stderr
    assert table_hashes(database) == before
    taken = CliRunner().invoke(app, ["import", str(file), "--format", "twitter-care", "--connection", "desk"])
    assert taken.exit_code == 0, taken.output


def test_one_busy_account_of_two_is_named_and_the_other_loaded(
    database: Warehouse, shop: RetailCRMEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETAILCRM_CONNECTION_ID", "second")
    with database.connect() as sql:
        # described by the environment a moment ago, and stored now
        connections.save(
            sql, Vault.open(Settings()), "retailcrm", "retailcrm", {"base_url": shop.base_url},
            {"api_key": shop.api_key, "bot_token": shop.bot_token},
        )  # fmt: skip
    with (
        database.connect(autocommit=True) as other,
        account_lock(other, "retailcrm"),
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(runner.RunFailed) as caught,
    ):
        runner.run_days(DAY, DAY, ["raw/retailcrm__channels"], instance=instance)
    said = str(caught.value)
    assert said.startswith("1 of 2 accounts failed, the others were worked on. busy: retailcrm is being loaded"), said
    with database.connect() as sql:
        rows = sql.execute("select distinct connection_id from raw.retailcrm__channels order by 1").fetchall()
        health = dict(sql.execute("select connection_id, status from ops.connections").fetchall())
    assert rows == [("retailcrm",), ("second",)]
    # a busy account is not ill
    assert health == {"retailcrm": None, "second": None}


def _synced(database: Warehouse) -> list[object]:
    with database.connect() as sql:
        return [row[0] for row in sql.execute("select synced_at from ops.connections").fetchall()]
