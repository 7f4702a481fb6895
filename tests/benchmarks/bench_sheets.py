"""Times the publication of a 50,000-row sheet of chats, and counts its calls against the bound that the issue names.

Counted by the emulator's ledger, not by the client: every request to the Sheets API, the reading back included (it
rides on the answers of the filling requests). The sign-in, one request an hour to another address, is not counted. The
emulator is a process of its own: the CPU seconds are the client's alone, the clock holds the emulator's work too.

Two sheets: one of 12 columns, of which 50,000 rows must go in at most 6 calls, and the product's own ``chats_raw`` with
its 19 columns, which is larger than 8 MiB and so is held to ``ceil(bytes / 2 MB) + 2`` alone.

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

from assets.exports import frames
from resources.clients.sheets import SheetsClient
from resources.sheets import Column, Kind, Tab, publish

ROWS = 50_000
MOST_CALLS = 6
ROOT = Path(__file__).resolve().parents[2]
_SHORT = [
    Column("Чат"), Column("Начат", Kind.DATETIME), Column("Последнее", Kind.DATETIME), Column("Канал"),
    Column("Клиент"), Column("Менеджер"), Column("Команда"), Column("Последним писал"),
    Column("Сообщений клиента", Kind.INTEGER), Column("Сообщений менеджеров", Kind.INTEGER),
    Column("Первый ответ, мин", Kind.DECIMAL), Column("Итог"),
]  # fmt: skip


def short_rows(seed: int) -> Tab:
    """Invented chats with what one chat needs: 160 bytes a row."""
    random = Random(seed)
    start = datetime(2026, 3, 2)
    outcomes = ("ответ вовремя", "ответ поздно", "без ответа")
    rows = []
    for number in range(ROWS):
        begun = start + timedelta(seconds=13 * number)
        rows.append(
            [
                str(700_000 + number), begun, begun + timedelta(seconds=random.randint(60, 90_000)),
                random.choice(("WhatsApp Москва", "Telegram", "Instagram")), f"Клиент {random.randint(1, 20_000)}",
                f"Менеджер {random.randint(1, 40)}", f"отдел {random.randint(1, 5)}",
                random.choice(("Клиент", "Менеджер")), random.randint(1, 60), random.randint(0, 60),
                round(random.random() * 300, 2), random.choice(outcomes),
            ]
        )  # fmt: skip
    return Tab("chats_raw", _SHORT, rows)


def product_rows(seed: int) -> Tab:
    """The same many chats through the columns of the product's own tab."""
    import pandas as pd

    random = Random(seed)
    start = datetime(2026, 3, 2)
    rows = []
    for number in range(ROWS):
        begun = start + timedelta(seconds=13 * number)
        rows.append(
            {
                "week": "2026-W10", "conversation_id": f"retailcrm:{700_000 + number}", "channel_kind": "whatsapp",
                "channel_name": random.choice(("WhatsApp Москва", "Тёплый край")), "customer_name": "Галина Ветрова",
                "manager_name": random.choice(("Мария Иванова", "Олег Сидоров", "Анна Ким")), "team_id": "sales",
                "last_at": begun + timedelta(seconds=random.randint(60, 90_000)), "last_sender": "manager",
                "waiting_since": None, "waits": 3, "in_target": 2, "slow_reply": 1, "unanswered": 0,
                "first_reply_seconds": random.randint(10, 9_000), "from_customer": random.randint(1, 60),
                "from_managers": random.randint(0, 60), "from_bots": 0, "first_at": begun,
                "created_at": begun - timedelta(days=3), "closed_unanswered": False, "flags": [],
            }
        )  # fmt: skip
    made = frames.columns_of(frames.CHATS)
    frame = pd.DataFrame(rows, dtype=object)
    columns = [list(one.make(frame)) for one in made]
    return Tab(frames.CHATS, [one.column for one in made], list(zip(*columns, strict=True)))


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
            first = measure(client, facts, short_rows(1), {})
            again = measure(client, facts, short_rows(1), {"chats_raw": first["hash"]})
            changed = measure(client, facts, short_rows(2), {"chats_raw": first["hash"]})
            product = measure(client, facts, product_rows(1), {"chats_raw": changed["hash"]})
    finally:
        server.terminate()
        server.wait(20)
    runs = {"first": first, "unchanged": again, "changed": changed, "columns_of_the_product": product}
    holds = all(run["calls"] <= run["bound"] for run in runs.values())
    holds = holds and max(first["calls"], changed["calls"]) <= MOST_CALLS and again["calls"] == 0
    for run in runs.values():
        del run["hash"]
    print(json.dumps({"benchmark": "sheets", "rows": ROWS, **runs, "most_calls": MOST_CALLS, "holds": holds}))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
