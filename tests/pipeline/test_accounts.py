"""Ten accounts, one of them broken: nine are read and judged, the tenth is named and left in peace (F14, F28)."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from conversations.window import Window
from orchestration import runner
from orchestration.cli.errors import EXIT_FAILED, explain
from orchestration.cli.probe import probed
from resources.settings import Settings
from resources.vault import Vault
from resources.warehouse import connections
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from tests.emulators.retailcrm import RetailCRMEmulator
from tests.emulators.shop.model import Shop

MONDAY = date(2026, 11, 16)
FIRST, LAST = MONDAY - timedelta(days=7), MONDAY - timedelta(days=1)
WINDOW = Window.of_days(FIRST, LAST, "Europe/Moscow")
NOW = datetime.fromisoformat("2026-11-16T03:10:00+03:00")
NAMES = [f"shop{number:02}" for number in range(1, 11)]
BROKEN = "shop04"
CHECK = "every_account_was_worked_on"
CHANNELS = dg.AssetKey(["raw", "retailcrm__channels"])


@dataclass
class Accounts:
    """Ten connected accounts and the shops behind them."""

    warehouse: Warehouse
    shops: dict[str, RetailCRMEmulator]

    def health(self) -> dict[str, tuple[Any, ...]]:
        """Status, the code of its reason, when it was found and when all was read, by account."""
        with self.warehouse.connect() as sql:
            return {
                one.connection_id: (one.status, (one.reason or "").split("]")[0], one.checked_at, one.synced_at)
                for one in connections.accounts(sql, "retailcrm")
            }

    def calls(self) -> dict[str, int]:
        """Requests since the last look, by account."""
        found = {name: len(shop.ledger.calls) for name, shop in self.shops.items()}
        for shop in self.shops.values():
            shop.ledger.clear()
        return found

    def rows(self, statement: str) -> dict[str, int]:
        """A count by account."""
        with self.warehouse.connect() as sql:
            return dict(sql.execute(statement).fetchall())

    def stored(self) -> dict[str, set[str]]:
        """Ids of the stored messages of the week, by account."""
        found: dict[str, set[str]] = {name: set() for name in NAMES}
        with self.warehouse.connect() as sql:
            for name, one in sql.execute(
                "select connection_id, external_id from raw.retailcrm__messages where event_at >= %s and event_at < %s",
                [WINDOW.start, WINDOW.end],
            ):
                found[name].add(one)
        return found

    def told(self) -> dict[str, set[str]]:
        """The same as the shops have them."""
        return {name: set(shop.ledger.rows("messages", WINDOW.start, WINDOW.end)) for name, shop in self.shops.items()}


@pytest.fixture(scope="module")
def ten(database: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """Connected as a person would, with keys that were made for this test; no variable describes an account."""
    home: Path = tmp_path_factory.mktemp("home")
    variables = {
        "OTKLIK_HOME": str(home),
        "DATABASE_URL": database.url,
        "RETAILCRM_REQUESTS_PER_SECOND": "1000",
        "HTTP_MAX_ATTEMPTS": "2",
        "OTKLIK_NOW": NOW.isoformat(),
    }
    with pytest.MonkeyPatch.context() as patch, ExitStack() as closing:
        for name, value in variables.items():
            patch.setenv(name, value)
        vault, shops = Vault.open(Settings()), {}
        for number, name in enumerate(NAMES):
            keys = {"api_key": secrets.token_hex(16), "bot_token": secrets.token_hex(16)}
            shop = RetailCRMEmulator(Shop.tiny(number + 1, MONDAY, messages=40 + number), rate=None, **keys)
            shops[name] = closing.enter_context(shop)
            addresses = {"base_url": shop.base_url, "mg_base_url": shop.mg_base_url, "time_zone": "Europe/Moscow"}
            with database.connect() as sql:
                connections.save(sql, vault, name, "retailcrm", addresses, keys)
        yield Accounts(database, shops)


@pytest.fixture(scope="module")
def key(ten: Accounts) -> Iterator[str]:
    """The key of the broken account, which its vendor has revoked."""
    kept = ten.shops[BROKEN].bot_token
    ten.shops[BROKEN].bot_token = secrets.token_hex(16)
    yield kept


@pytest.fixture(scope="module")
def failure(ten: Accounts, key: str, instance: dg.DagsterInstance) -> runner.RunFailed:
    with pytest.raises(runner.RunFailed) as caught:
        runner.run_days(FIRST, LAST, instance=instance)
    return caught.value


def at_night(instance: dg.DagsterInstance, *keys: dg.AssetKey) -> dg.ExecuteInProcessResult:
    """A run that nobody waits for, as the schedule starts it."""
    return runner.defs.resolve_job_def("load_daily").execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        tags={"dagster/asset_partition_range_start": str(FIRST), "dagster/asset_partition_range_end": str(LAST)},
        asset_selection=list(keys) or None,
    )


def test_the_nine_are_read_and_judged(ten: Accounts, failure: runner.RunFailed) -> None:
    stored, told = ten.stored(), ten.told()
    assert all(told.values())
    assert {name: ids for name, ids in stored.items() if name != BROKEN} == {
        name: ids for name, ids in told.items() if name != BROKEN
    }
    nine = set(NAMES) - {BROKEN}
    for table in ("core.messages", "core.conversations", "core.managers", "evaluated.waits", "evaluated.sessions"):
        found = ten.rows(f"select connection_id, count(*) from {table} group by 1")
        assert set(found) == nine, table
    as_of = ten.rows("select scope, as_of from ops.as_of")
    assert set(as_of) == nine and set(as_of.values()) == {WINDOW.end}


def test_the_broken_one_is_named_and_was_asked_once(ten: Accounts, failure: runner.RunFailed, key: str) -> None:
    said = str(failure)
    assert said.startswith(f"1 of 10 accounts failed, the others were worked on. {BROKEN}: ")
    assert "Issue a new key" in said and key not in said
    explanation = explain(failure)
    assert explanation is not None and explanation.exit_code == EXIT_FAILED
    assert explanation.text.startswith(f"не вышло с подключениями: 1 из 10. {BROKEN}: ключ не принят")
    assert "Остальные загружены" in explanation.text
    # the run reads nine streams; the account was left alone after its first answer
    assert ten.calls()[BROKEN] == 1
    assert not ten.stored()[BROKEN]


def test_only_the_account_check_is_red(failure: runner.RunFailed) -> None:
    assert {check.name for check in failure.summary.checks_failed} == {CHECK}
    assert {check.asset for check in failure.summary.checks if check.name == "waits_do_not_overlap"}


def test_the_health_of_each_is_written_down(ten: Accounts, failure: runner.RunFailed) -> None:
    health = ten.health()
    assert health.pop(BROKEN) == ("needs_auth", "[needs_auth", NOW, None)
    assert set(health.values()) == {("ok", "", NOW, NOW)}


def test_a_refused_key_is_tried_once_an_hour(
    ten: Accounts, failure: runner.RunFailed, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    ten.calls()
    for minutes, asked in ((10, 0), (59, 0), (61, 1), (62, 0)):
        monkeypatch.setenv("OTKLIK_NOW", (NOW + timedelta(minutes=minutes)).isoformat())
        run = at_night(instance, CHANNELS)
        assert not run.success
        calls = ten.calls()
        assert calls.pop(BROKEN) == asked, minutes
        assert len(calls) == 9 and min(calls.values()) > 0
        told = next(event for event in run.all_events if event.is_step_failure).step_failure_data.user_failure_data
        assert told is not None and str(told.description).startswith(
            f"1 of 10 accounts failed, the others were worked on. {BROKEN}: "
        )
    assert ten.health()[BROKEN][:3] == ("needs_auth", "[needs_auth", NOW + timedelta(minutes=61))


def test_a_mended_key_is_probed_and_the_night_is_green(
    ten: Accounts, failure: runner.RunFailed, key: str, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ten.rows("select connection_id, count(*) from evaluated.waits group by 1")
    ten.shops[BROKEN].bot_token = key
    later = NOW + timedelta(minutes=65)
    monkeypatch.setenv("OTKLIK_NOW", later.isoformat())
    assert all(one.is_well for one in probed(Settings()))
    assert ten.health()[BROKEN] == ("ok", "", later, None)
    assert at_night(instance).success
    assert ten.stored() == ten.told()
    assert set(ten.health().values()) == {("ok", "", later, later)}
    after = ten.rows("select connection_id, count(*) from evaluated.waits group by 1")
    assert after.pop(BROKEN) and after == before


def test_a_key_that_is_revoked_in_the_middle_ends_the_account_there(
    ten: Accounts, failure: runner.RunFailed, instance: dg.DagsterInstance
) -> None:
    """Both ways in are one account: without the CRM's directory its chats are not read either."""
    shop = ten.shops[BROKEN]
    before = table_hashes(ten.warehouse, ("raw", "core", "evaluated"))
    ten.calls()
    shop.faults.add("expire_token", path="/api/v5/", after=1)
    try:
        run = at_night(instance)
    finally:
        shop.faults.clear()
    assert not run.success
    refused = [call for call in shop.ledger.calls if call.status == 401]
    assert len(refused) == 1 and shop.ledger.calls[-1] is refused[0]
    assert not any(call.path.endswith("/messages") for call in shop.ledger.calls)
    calls = ten.calls()
    assert min(count for name, count in calls.items() if name != BROKEN) > calls[BROKEN]
    assert ten.health()[BROKEN][0] == "needs_auth"
    # the nine were read again and nothing was new; of the tenth nothing was written
    assert table_hashes(ten.warehouse, ("raw", "core", "evaluated")) == before


def test_a_disabled_account_is_not_asked(
    ten: Accounts, failure: runner.RunFailed, instance: dg.DagsterInstance
) -> None:
    with ten.warehouse.connect() as sql:
        connections.disable(sql, BROKEN, actor="test")
    ten.calls()
    assert at_night(instance, CHANNELS).success
    assert ten.calls()[BROKEN] == 0
    with ten.warehouse.connect() as sql:
        connections.enable(sql, BROKEN, actor="test")
