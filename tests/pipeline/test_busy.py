"""Two runs over one account at once: one works, the other ends busy and has asked and written nothing (D4, F19)."""

from __future__ import annotations

import json
import subprocess
import sys
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
from tests.pipeline.conftest import environment

MONDAY = date(2026, 11, 16)
DAY = MONDAY - timedelta(days=1)
WHOLE: list[str] = []
MESSAGES = ["raw/retailcrm__messages"]
# how many begin together, and with what; one alone says what one run asks
ROUNDS = [(1, WHOLE), (2, WHOLE), (1, MESSAGES), (2, MESSAGES), (2, MESSAGES)]
# one run for each line that comes in: what to select
WORKER = """
import json, sys
from datetime import date
import dagster as dg
from orchestration import runner
from orchestration.cli.errors import explain
day = date.fromisoformat(sys.argv[1])
with dg.DagsterInstance.ephemeral() as instance:
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        try:
            runner.run_days(day, day, json.loads(line) or None, instance=instance)
            said = [0, ""]
        except runner.RunFailed as error:
            said = [explain(error).exit_code, str(error)]
        print(json.dumps(said), flush=True)
"""


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
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        yield shop


class Worker:
    """A process that runs what it is told, as many times as it is told."""

    def __init__(self, **variables: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, DAY.isoformat()],
            env={**environment(), **variables}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def go(self, select: list[str]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(select) + "\n")
        self._process.stdin.flush()

    def answer(self) -> object:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline() or "null")

    def end(self) -> int:
        self._process.communicate(timeout=60)
        return self._process.returncode


def test_two_backfills_of_one_day_end_equal(database: Warehouse, shop: RetailCRMEmulator) -> None:
    both = [Worker(), Worker()]
    assert [worker.answer() for worker in both] == ["ready", "ready"]
    asked: dict[bool, set[int]] = {True: set(), False: set()}
    hashes = []
    for together, select in ROUNDS:
        shop.ledger.clear()
        # whoever is first holds the account for a second at least
        shop.faults.add("slow", path="/messages", seconds=1, times=1)
        working = both[:together]
        for worker in working:
            worker.go(select)
        ends = [worker.answer() for worker in working]
        shop.faults.clear()
        assert sorted(code for code, _ in ends) == [0, EXIT_BUSY][:together], ends  # type: ignore[misc]
        assert all(not code or said.startswith("busy: retailcrm is being loaded") for code, said in ends), ends
        asked[select is WHOLE].add(len(shop.ledger.calls))
        hashes.append(table_hashes(database, ("raw", "core", "evaluated")))
    assert [worker.end() for worker in both] == [0, 0]
    # the busy one asked nothing: two at once ask as often as one alone
    assert len(asked[True]) == len(asked[False]) == 1
    assert all(found == hashes[0] for found in hashes)


def test_a_run_that_dies_before_its_last_word_is_repeated(database: Warehouse, shop: RetailCRMEmulator) -> None:
    with database.connect() as sql:
        sql.execute("update ops.connections set synced_at = null")
    killed = Worker(FAILPOINT="accounts.before_synced:1")
    assert killed.answer() == "ready"
    killed.go(MESSAGES)
    assert killed.answer() is None and killed.end() == -9
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
