"""``otklik up`` as people start it: the demo on a small shop, the UI on its port, the end without leftovers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import date
from pathlib import Path

import pytest

from orchestration.cli import children, demo
from resources.warehouse.engine import Warehouse
from tests.cli.conftest import Otklik

ROOT = Path(__file__).resolve().parents[2]


def environment(warehouse: Warehouse, home: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": warehouse.url,
        "ANALYST_DATABASE_URL": warehouse.analyst_url,
        "OTKLIK_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        **more,
    }


# One process, so that Dagster is imported once; each `up` opens and closes everything by itself.
TWO_DEMOS = """
import json
from orchestration.cli import demo
from orchestration.cli.app import app
from resources.settings import Settings
from resources.warehouse.engine import Warehouse
from resources.warehouse.hashes import table_hashes
from resources.warehouse.roles import Role

demo.SHOP, demo.WEEKS = "tiny", 1
for _ in range(2):
    app(["up", "--demo", "--no-serve"], standalone_mode=False)
    with Warehouse.open(Settings(), Role.OWNER) as warehouse:
        print("HASHES", json.dumps(table_hashes(warehouse)), flush=True)
        with warehouse.connect() as sql:
            tabs = sql.execute("select tab, row_count, stale_reason from ops.exports order by tab").fetchall()
            print("TABS", json.dumps(tabs), flush=True)
"""


@pytest.mark.proof
def test_the_demo_ends_by_itself_and_a_second_one_changes_nothing(fresh_database: Warehouse, tmp_path: Path) -> None:
    given = environment(fresh_database, tmp_path, OTKLIK_NOW="2026-11-20T12:00:00+03:00")
    ran = subprocess.run([sys.executable, "-c", TWO_DEMOS], cwd=ROOT, env=given, capture_output=True, text=True)
    hashes = [line for line in ran.stdout.splitlines() if line.startswith("HASHES")]

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert len(hashes) == 2 and hashes[0] == hashes[1]
    tabs = [json.loads(line.removeprefix("TABS")) for line in ran.stdout.splitlines() if line.startswith("TABS")]
    assert [tab for tab, rows, stale in tabs[1] if rows and stale is None] == [
        "behavior_snapshot_managers", "channel_summary", "chat_advice", "chats_raw", "data_status", "manager_report",
        "manager_summary", "messages_raw", "weekly_behavior_delta_managers", "weekly_digest_channels",
        "weekly_digest_managers", "weekly_examples", "weekly_trend", "Читать первым",
    ]  # fmt: skip
    # the emulator keeps what was written there over its own restart
    assert (tmp_path / "emulators" / "sheets" / "spreadsheets.pickle").stat().st_size > 10_000
    for said in (
        "Магазин выдуман",
        "Неделя 2026-W46 (09.11–15.11.2026)",
        "По менеджерам",
        "По каналам",
        "не пройдено: 0",
        "Интерфейс Dagster:   не запущен",
    ):
        assert ran.stdout.count(said) == 2, ran.stdout
    assert demo.anchor(tmp_path) == demo.Anchor(date(2026, 11, 16), "Europe/Moscow", is_loaded=True)


def test_the_demo_does_not_mix_with_other_data(fresh_database: Warehouse, tmp_path: Path, otklik: Otklik) -> None:
    fixture = ROOT / "tests" / "fixtures" / "twitter_care_conversations.json"
    given = {"DATABASE_URL": fresh_database.url, "ANALYST_DATABASE_URL": fresh_database.analyst_url}
    otklik("import", str(fixture), "--format", "twitter-care", "--json", **given)
    result = otklik("up", "--demo", "--no-serve")

    assert result.exit_code == 1
    assert "OTKLIK_HOME=" in result.stderr
    assert not (tmp_path / "demo.json").exists()


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.proof), signal.SIGTERM])
def test_the_ui_answers_and_ends_with_the_command(database: Warehouse, tmp_path: Path, number: signal.Signals) -> None:
    port = children.free_port()
    log = tmp_path / "up.log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "orchestration.cli", "up", "--port", str(port)]
        # a group of its own, as a terminal gives it: Ctrl-C must not be needed by the children
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(database, tmp_path), stdout=output, stderr=output, start_new_session=True
        )
        deadline = time.monotonic() + 600
        while f"http://127.0.0.1:{port}" not in log.read_text() and time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/server_info", timeout=300) as answer:
            assert "dagster_version" in json.load(answer)
        process.send_signal(number)
        assert process.wait(timeout=600) == 0

    assert "Остановлено" in log.read_text()
    assert children.is_free(port)


def test_a_taken_port_is_a_clear_error(database: Warehouse, tmp_path: Path, otklik: Otklik) -> None:
    import socket

    given = {"DATABASE_URL": database.url, "ANALYST_DATABASE_URL": database.analyst_url}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = otklik("up", "--port", str(port), **given)

    assert result.exit_code == 1
    assert f"порт {port} занят" in result.stderr
