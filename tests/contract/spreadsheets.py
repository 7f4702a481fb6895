"""Tabs and spreadsheets of the tests about publishing: what was published, what people see, what was asked."""

from __future__ import annotations

import sys
from typing import Any

from resources.clients.http import Limits
from resources.clients.sheets import SheetsClient
from resources.sheets import Column, Kind, Published, Tab, publish
from tests.emulators.sheets import SheetsEmulator

QUICK = Limits(
    read_seconds=0.3, deadline_seconds=2.0, attempts=3, first_pause_seconds=0.01, longest_pause_seconds=0.02,
    requests_per_second=10_000,
)  # fmt: skip
SHEETS_API = "^/v4/"
TITLES = ("chats_raw", "manager_summary")


def client_of(emulator: SheetsEmulator, limits: Limits = QUICK, **more: Any) -> SheetsClient:
    return SheetsClient("sheets", emulator.base_url, emulator.service_account_info, limits=limits, **more)


def tabs_of(version: int, chats: int = 12) -> list[Tab]:
    """Two tabs whose every cell differs from version to version; later versions of the first are shorter."""
    return [
        Tab(
            "chats_raw",
            [Column("Чат"), Column("Сообщений", Kind.INTEGER), Column("Доля", Kind.PERCENT)],
            [[f"чат {version}-{n}", version * 1000 + n, (n + version) / 64] for n in range(chats - version)],
        ),
        Tab("manager_summary", [Column("Менеджер"), Column("Ответов", Kind.INTEGER)], [[f"Имя {version}", version]]),
    ]


def expected(tabs: list[Tab]) -> dict[str, list[list[Any]]]:
    """What people must see of these tabs, for cells that need no rule."""
    return {tab.title: [[column.name for column in tab.columns], *map(list, tab.rows)] for tab in tabs}


def shown(emulator: SheetsEmulator) -> dict[str, list[list[Any]]]:
    """What people see in our tabs."""
    return {title: emulator.values(f"'{title}'!A1:Z9999") for title in TITLES if title in emulator.sheets()}


def moments(emulator: SheetsEmulator) -> list[dict[str, list[list[Any]]]]:
    """What was visible after every single change of the spreadsheet, as far as the tabs are ours."""
    return [{title: _trimmed(rows) for title, rows in moment.items() if title in TITLES} for moment in emulator.moments]


def hidden(emulator: SheetsEmulator) -> list[str]:
    return [title for title, sheet in emulator.sheets().items() if sheet.get("hidden")]


def hashes(published: Published) -> dict[str, str]:
    return {title: result.content_hash for title, result in published.tabs.items()}


def asked(emulator: SheetsEmulator) -> int:
    """Calls to the Sheets API since the ledger was cleared."""
    return sum(call.path.startswith("/v4/") for call in emulator.ledger.calls)


def over_quota(emulator: SheetsEmulator, limit: int = 60, seconds: float = 60.0) -> list[str]:
    """Every call with which more than ``limit`` reads or writes lay within one window, by the emulator's ledger."""
    found = []
    for method in ("GET", "POST"):
        times = sorted(
            call.at for call in emulator.ledger.calls if call.path.startswith("/v4/") and call.method == method
        )
        found += [
            f"{method} {number}"
            for number in range(limit, len(times))
            if times[number] - times[number - limit] < seconds
        ]
    return found


def _trimmed(rows: list[Any]) -> list[list[Any]]:
    found = []
    for row in rows:
        cells = [
            int(cell) if isinstance(cell, float) and cell.is_integer() else "" if cell is None else cell for cell in row
        ]
        while cells and cells[-1] == "":
            cells.pop()
        found.append(cells)
    while found and not found[-1]:
        found.pop()
    return found


def main(base_url: str, service_account: str, spreadsheet_id: str, version: str) -> None:
    """Publish one version, in a process that may be killed."""
    import json
    from pathlib import Path

    client = SheetsClient("sheets", base_url, json.loads(Path(service_account).read_text("utf-8")))
    published = publish(client, spreadsheet_id, tabs_of(int(version)), {}, request_bytes=450)
    print(published.calls)


if __name__ == "__main__":
    main(*sys.argv[1:])
