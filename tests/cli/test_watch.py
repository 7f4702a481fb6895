"""``otklik watch`` and ``otklik alerts`` as they are typed: on a real database, Dagster's storage in it, and the
messenger's emulator."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from conversations.policy import Policy
from orchestration.cli import watch
from orchestration.cli.watch import Watcher
from resources.settings import Settings
from resources.warehouse import connections, outbox
from resources.warehouse.engine import Warehouse
from resources.warehouse.errors import MigrationsPending, WarehouseError, WarehouseUnavailable
from resources.warehouse.outbox import TELEGRAM, Message
from tests.cli.conftest import Otklik
from tests.conftest import DatabaseServer
from tests.emulators.telegram import TelegramEmulator

ROOT = Path(__file__).resolve().parents[2]
QUIET = "alerts: {disk_percent: 100, heartbeat_minutes: 0}\n"


@pytest.fixture
def telegram() -> Iterator[TelegramEmulator]:
    with TelegramEmulator() as emulator:
        yield emulator


@pytest.fixture
def trouble(on_database: Warehouse) -> Iterator[psycopg.Connection]:
    """An account whose key is refused; it was connected a moment ago."""
    with on_database.connect(autocommit=True) as session:
        connections.note_environment(session, connections.Account("shop", "retailcrm", "environment", {}))
        connections.report(session, "shop", "needs_auth", "[needs_auth] the key was refused", datetime.now(UTC))
        yield session
        for table in ("outbox", "incidents", "looks", "connections"):
            session.execute(f"delete from ops.{table}")


@pytest.fixture
def variables(telegram: TelegramEmulator, tmp_path: Path) -> dict[str, str]:
    policy = tmp_path / "policy.yaml"
    policy.write_text(QUIET, "utf-8")
    return {
        "OTKLIK_POLICY": str(policy),
        "TELEGRAM_ENABLED": "1",
        "TELEGRAM_BASE_URL": telegram.base_url,
        "TELEGRAM_BOT_TOKEN": telegram.bot_token,
        "TELEGRAM_CHAT_ID": str(telegram.chat_id),
        "HTTP_READ_TIMEOUT_SECONDS": "2",
    }


def test_trouble_reaches_the_chat_once_and_so_does_its_end(
    otklik: Otklik, trouble: psycopg.Connection, telegram: TelegramEmulator, variables: dict[str, str]
) -> None:
    for _ in range(2):
        looked = otklik("watch", "--once", **variables)
        assert looked.exit_code == 0, looked.stderr
    assert "Открыто происшествий: 1, новых: 0, закрыто: 0" in looked.stdout
    shown = otklik("alerts").stdout
    assert "Подключение не работает: shop" in shown and "длится" in shown
    assert "никто не следит" not in shown

    connections.synced(trouble, "shop", datetime.now(UTC))
    assert otklik("watch", "--once").exit_code == 0
    assert "Открытых происшествий нет." in otklik("alerts").stdout
    assert [text.splitlines()[0] for text in telegram.texts()] == [
        "🔴 Подключение не работает: shop", "✅ Подключение в порядке: shop",
    ]  # fmt: skip
    everything = json.loads(otklik("alerts", "--all", "--json").stdout)
    assert [one["kind"] for one in everything["incidents"]] == ["connection"]
    assert [one["state"] for one in everything["messages"]] == ["sent", "sent"]


def test_a_lost_answer_is_shown_and_only_a_person_repeats_it(
    otklik: Otklik, trouble: psycopg.Connection, telegram: TelegramEmulator, variables: dict[str, str]
) -> None:
    telegram.faults.add("lost", path="sendMessage", times=1)
    for _ in range(2):
        assert otklik("watch", "--once", **variables).exit_code == 0
    assert len(telegram.texts()) == 1
    shown = otklik("alerts").stdout
    message = re.search(r"\b[0-9a-f]{10}-open\b", shown)
    assert message and "неизвестно" in shown and "ответ потерян" in shown

    assert otklik("alerts", "resend", message[0]).exit_code == 0
    again = otklik("alerts", "resend", message[0])
    assert (again.exit_code, "ждёт отправки" in again.stderr) == (1, True)
    assert otklik("watch", "--once").exit_code == 0
    assert len(telegram.texts()) == 2
    assert otklik("alerts", "resend", "none-open").exit_code == 1


def test_a_refused_token_is_an_incident_of_the_bot_itself(
    otklik: Otklik, trouble: psycopg.Connection, telegram: TelegramEmulator, variables: dict[str, str]
) -> None:
    telegram.faults.add("expire_token")
    for _ in range(3):
        assert otklik("watch", "--once", **variables).exit_code == 0
    assert telegram.ledger.summary()["calls"] == 1
    shown = otklik("alerts").stdout
    assert "Подключение не работает: telegram" in shown
    assert "токен бота не принят" in shown


def test_without_telegram_incidents_are_shown_and_closed_by_hand(
    otklik: Otklik, trouble: psycopg.Connection, variables: dict[str, str]
) -> None:
    assert "никто не следит" in otklik("alerts", OTKLIK_POLICY=variables["OTKLIK_POLICY"]).stdout
    assert otklik("watch", "--once").exit_code == 0
    [incident] = json.loads(otklik("alerts", "--json").stdout)["incidents"]
    assert otklik("alerts", "close", incident["incident_id"]).exit_code == 0
    again = otklik("alerts", "close", incident["incident_id"])
    assert (again.exit_code, "нет открытого происшествия" in again.stderr) == (1, True)
    assert trouble.execute("select count(*) from ops.outbox").fetchone() == (0,)


def test_the_process_looks_by_itself_survives_a_database_that_is_away_and_ends_in_order(
    database_server: DatabaseServer, on_database: Warehouse, trouble: psycopg.Connection, telegram: TelegramEmulator,
    variables: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DAGSTER_")},
        **variables,
        "OTKLIK_HOME": str(tmp_path / "home"),
        "DATABASE_URL": on_database.url,
    }
    log = tmp_path / "watch.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "orchestration.cli", "watch", "--every", "1"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        wait_for(lambda: len(telegram.texts()) == 1, log)
        allow_connections(database_server, trouble.info.dbname, False)
        wait_for(lambda: "cannot look: reason=WarehouseUnavailable" in log.read_text("utf-8"), log)
        allow_connections(database_server, trouble.info.dbname, True)
        connections.synced(trouble, "shop", datetime.now(UTC))
        wait_for(lambda: len(telegram.texts()) == 2, log)
        # told to stop while a message is under way, it hears the answer first and takes no other
        telegram.faults.add("slow", path="sendMessage", seconds=600)
        for name in ("m1", "m2"):
            outbox.queue(trouble, Message(name, TELEGRAM, str(telegram.person_id), name), datetime.now(UTC))
        wait_for(lambda: states(trouble)["m1"] == "sending", log)
        process.send_signal(signal.SIGTERM)
        telegram.faults.clear()
        assert process.wait(600) == 0, log.read_text("utf-8")
        assert states(trouble)["m1"] == "sent" and states(trouble)["m2"] == "queued"
    finally:
        process.kill()
        process.wait()
    words = log.read_text("utf-8")
    assert telegram.bot_token not in words and "Traceback" not in words, words
    assert re.search(r"looked: busy=False open=0 opened=0 closed=1 sent=1", words)


@pytest.mark.parametrize(("error", "is_away"), [(WarehouseUnavailable, True), (MigrationsPending, False)])
def test_only_a_database_that_does_not_answer_is_away(
    error: type[WarehouseError], is_away: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = Watcher(Settings(_env_file=None))  # type: ignore[call-arg]

    def failing() -> None:
        raise error("in words")

    monkeypatch.setattr(watcher, "round", failing)
    watcher.round_or_log()
    monkeypatch.setattr(watch, "AWAY_LEAST", timedelta())
    assert (watcher._away() is not None) is is_away


def test_a_loader_that_is_not_let_in_keeps_nobody_from_looking(
    otklik: Otklik, on_database: Warehouse, trouble: psycopg.Connection, telegram: TelegramEmulator,
    variables: dict[str, str],
) -> None:  # fmt: skip
    url = urlsplit(on_database.url)
    wrong = url._replace(netloc=f"nobody_of_that_name:x@{url.netloc.rpartition('@')[2]}").geturl()
    looked = otklik("watch", "--once", LOADER_DATABASE_URL=wrong, **variables)
    assert looked.exit_code == 0, looked.stderr
    assert "Подключение не работает: shop" in otklik("alerts").stdout
    # told when the bot's account can be read again
    assert otklik("watch", "--once", LOADER_DATABASE_URL="").exit_code == 0
    assert [text.splitlines()[0] for text in telegram.texts()] == ["🔴 Подключение не работает: shop"]


def test_dagsters_storage_is_looked_for_where_the_server_came_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DAGSTER_HOME", "DAGSTER_PG_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("DAGSTER_HOME")
    monkeypatch.delenv("DAGSTER_PG_URL")
    watcher = Watcher(Settings(_env_file=None, otklik_home=tmp_path))  # type: ignore[call-arg]
    found = []
    for port in (20001, 20002):
        storage = SimpleNamespace(dagster_storage_url=lambda port=port: f"postgresql://127.0.0.1:{port}/dagster")
        watcher._dagster_of(storage, Policy.default())  # type: ignore[arg-type]
        found.append(os.environ["DAGSTER_PG_URL"])
    assert found == ["postgresql://127.0.0.1:20001/dagster", "postgresql://127.0.0.1:20002/dagster"]


def allow_connections(server: DatabaseServer, database: str, allowed: bool) -> None:
    statement = "alter database {} with allow_connections {}"
    with psycopg.connect(server.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL(statement).format(sql.Identifier(database), sql.Literal(allowed)))


def states(session: psycopg.Connection) -> dict[str, str]:
    return dict(session.execute("select message_id, state from ops.outbox").fetchall())


def wait_for(condition, log: Path, seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text("utf-8")
        time.sleep(0.1)


def test_a_queue_is_sent_in_its_order_within_the_vendors_limits(
    otklik: Otklik, trouble: psycopg.Connection, telegram: TelegramEmulator, variables: dict[str, str]
) -> None:
    connections.synced(trouble, "shop", datetime.now(UTC))
    for number in range(3):
        message = Message(f"m{number}", TELEGRAM, str(telegram.person_id), f"№ {number}")
        outbox.queue(trouble, message, datetime.now(UTC))
    looked = otklik("watch", "--once", **variables)
    assert "Отправлено сообщений: 3, не доставлено: 0." in looked.stdout
    assert telegram.texts(telegram.person_id) == ["№ 0", "№ 1", "№ 2"]
    assert not telegram.early
