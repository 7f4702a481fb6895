"""Times the publication of a 50,000-row sheet of chats, and counts its calls against the bound that the issue names.

Counted by the emulator's ledger, not by the client: every request to the Sheets API, the reading back included (it
rides on the answers of the filling requests). The sign-in, one request an hour to another address, is not counted. The
emulator is a process of its own: the CPU seconds are the client's alone, the clock holds the emulator's work too.

    python -m tests.benchmarks.bench_sheets
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

from resources.clients.sheets import SheetsClient
from resources.sheets import Column, Kind, Tab, publish

ROWS = 50_000
MOST_CALLS = 6
ROOT = Path(__file__).resolve().parents[2]
_COLUMNS = [
    Column("Чат"), Column("Начат", Kind.DATETIME), Column("Канал"), Column("Клиент"), Column("Менеджер"),
    Column("Сообщений", Kind.INTEGER), Column("Ответ, мин", Kind.DECIMAL), Column("Итог"),
]  # fmt: skip


def chats(seed: int) -> Tab:
    """Invented chats, one row each, as wide as a row of ``chats_raw`` is: about 130 bytes."""
    random = Random(seed)
    start = datetime(2026, 3, 2)
    channels, outcomes = ("WhatsApp", "Telegram", "Instagram"), ("ответ вовремя", "ответ поздно", "без ответа")
    managers = [f"Менеджер {number}" for number in range(40)]
    rows = [
        [
            str(700_000 + number), start + timedelta(seconds=13 * number), random.choice(channels),
            f"Клиент {random.randint(1, 20_000)}", random.choice(managers), random.randint(1, 60),
            round(random.random() * 300, 1), random.choice(outcomes),
        ]
        for number in range(ROWS)
    ]  # fmt: skip
    return Tab("chats_raw", _COLUMNS, rows)


def ledger(base_url: str) -> dict[str, Any]:
    """What the emulator was asked since the last look."""
    with urllib.request.urlopen(f"{base_url}/_emulator/ledger") as answer:
        found: dict[str, Any] = json.load(answer)
    urllib.request.urlopen(urllib.request.Request(f"{base_url}/_emulator/ledger", method="DELETE")).close()
    return found


def measure(client: SheetsClient, facts: dict[str, Any], tab: Tab, previous: dict[str, str]) -> dict[str, Any]:
    """One publication: calls by the ledger, bytes of the bodies that filled, seconds of the clock and of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    published = publish(client, facts["spreadsheet_id"], [tab], previous)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    calls = [call for call in ledger(facts["base_url"])["list"] if call["path"].startswith("/v4/")]
    filling = [call["sent"] for call in calls if call["path"].endswith("values:batchUpdate")]
    return {
        "calls": len(calls),
        "bytes": sum(filling),
        "bound": ceil(sum(filling) / 2_000_000) + 2 if calls else 0,
        "seconds": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "hash": published.tabs[tab.title].content_hash,
    }


def main() -> int:
    """Print one JSON line; exit 1 when a publication takes too many calls."""
    command = [sys.executable, "-m", "tests.emulators", "--only", "sheets", "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        facts = json.loads(server.stdout.readline())
        facts = facts.get("sheets", facts)
        account = json.loads(Path(facts["service_account_file"]).read_text("utf-8"))
        with SheetsClient("bench", facts["base_url"], account) as client:
            client.title(facts["spreadsheet_id"])
            ledger(facts["base_url"])
            first = measure(client, facts, chats(1), {})
            again = measure(client, facts, chats(1), {"chats_raw": first["hash"]})
            changed = measure(client, facts, chats(2), {"chats_raw": first["hash"]})
    finally:
        server.terminate()
        server.wait(20)
    runs = {"first": first, "unchanged": again, "changed": changed}
    holds = all(run["calls"] <= min(MOST_CALLS, run["bound"]) for run in runs.values())
    for run in runs.values():
        del run["hash"]
    print(json.dumps({"benchmark": "sheets", "rows": ROWS, **runs, "most_calls": MOST_CALLS, "holds": holds}))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
